// The texts whose contrast with what lies behind them is below 4.5 : 1 (WCAG
// 2.2, 1.4.3), each with its ratio.
const parse = (text) => {
  const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
  return { r, g, b, a };
};
const over = (top, below) => {
  const mix = (key) => top[key] * top.a + below[key] * (1 - top.a);
  return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
};
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
};
const luminance = ({ r, g, b }) => {
  const linear = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
};
const weak = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  const element = node.parentElement;
  if (!node.data.trim() || element.closest("script, title, .sr, .skip") || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const back = behind(element);
  const colour = over(parse(element instanceof SVGElement ? style.fill : style.color), back);
  const [low, high] = [luminance(colour), luminance(back)].sort((a, b) => a - b);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < 4.5) weak.add(`${ratio.toFixed(2)} ${element.className?.baseVal ?? element.className} '${node.data.trim().slice(0, 30)}'`);
}
return [...weak];
