//! Reads a page as a browser would, as far as these tests need it: tags with
//! their attributes, and the text between them.

/// A tag or a text of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// A start tag with its attributes, values resolved.
    Start(String, Vec<(String, String)>),
    /// An end tag.
    End(String),
    /// Text, references resolved.
    Text(String),
}

/// Takes a page apart. What stands in `<style>` and `<script>` is one text, as
/// in HTML. Panics at what no template of ours writes: unquoted attributes,
/// comments, a `<` in text.
pub fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = page
        .strip_prefix("<!doctype html>\n")
        .expect("a document type");
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if !text.trim().is_empty() {
            pieces.push(Piece::Text(resolve(text)));
        }
        let end = end_of_tag(tag);
        let (inside, behind) = (&tag[1..end], &tag[end + 1..]);
        rest = behind;
        if let Some(name) = inside.strip_prefix('/') {
            pieces.push(Piece::End(name.trim().to_owned()));
            continue;
        }
        let (name, attributes) = start_tag(inside.trim_end_matches('/'));
        if name == "style" || name == "script" {
            let close = format!("</{name}>");
            let (raw, behind) = rest.split_once(close.as_str()).expect("an end of raw text");
            pieces.push(Piece::Start(name.clone(), attributes));
            pieces.push(Piece::Text(raw.to_owned()));
            pieces.push(Piece::End(name));
            rest = behind;
        } else {
            pieces.push(Piece::Start(name, attributes));
        }
    }
    pieces
}

/// Where a tag ends: the first `>` outside quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (at, c) in tag.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            '<' if at > 0 && !quoted => break,
            _ => {}
        }
    }
    panic!(
        "a '<' that opens no tag: {}",
        tag.chars().take(80).collect::<String>()
    );
}

fn start_tag(inside: &str) -> (String, Vec<(String, String)>) {
    let inside = inside.trim_end();
    let (name, mut rest) = inside
        .split_once(char::is_whitespace)
        .unwrap_or((inside, ""));
    assert!(
        name.chars().all(|c| c.is_ascii_alphanumeric()) && !name.is_empty(),
        "no tag's name: {name:?}"
    );
    let mut attributes = Vec::new();
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (key, behind) = rest.split_at(end);
        if let Some(value) = behind.strip_prefix("=\"") {
            let (value, behind) = value.split_once('"').expect("a closing quote");
            attributes.push((key.to_owned(), resolve(value)));
            rest = behind;
        } else {
            assert!(!behind.starts_with('='), "an unquoted attribute: {rest}");
            attributes.push((key.to_owned(), String::new()));
            rest = behind;
        }
    }
    (name.to_owned(), attributes)
}

/// Resolves the references that pages are written with.
fn resolve(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// A page's text without its tags, style and script, one blank between pieces.
pub fn text(pieces: &[Piece]) -> String {
    let mut raw = false;
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Start(name, _) => raw = name == "style" || name == "script",
            Piece::End(_) => raw = false,
            Piece::Text(text) if !raw => {
                out.push_str(text);
                out.push(' ');
            }
            Piece::Text(_) => {}
        }
    }
    out
}

/// The values of one attribute over all tags.
pub fn values<'a>(pieces: &'a [Piece], attribute: &'a str) -> impl Iterator<Item = &'a str> {
    pieces.iter().flat_map(move |piece| match piece {
        Piece::Start(_, attributes) => attributes
            .iter()
            .filter(move |(key, _)| key == attribute)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>(),
        _ => Vec::new(),
    })
}
