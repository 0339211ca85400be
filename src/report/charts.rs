//! Charts as SVG elements for the HTML report, drawn by plotters.
//!
//! plotters knows colours only as numbers. A report has two colour schemes, so
//! each [`Ink`] is drawn in a number of its own, which then becomes a class
//! that the style sheet colours.

use std::f64::consts::TAU;

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, EmptyElement, IntoDrawingArea, Polygon, RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

use super::html::markup::escape;

/// A colour of the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Valid entries, use below the warning mark.
    Ok,
    /// Duplicates, critical findings, use above the critical mark.
    Critical,
    /// Orphans, warnings, use above the warning mark.
    Warning,
    /// Notes.
    Info,
    /// Entries without a verdict.
    Quiet,
    /// The empty part of a scale.
    Track,
    /// Marks on a scale.
    Mark,
    /// Words.
    Word,
    /// Less important words.
    Muted,
    /// Grades.
    GradeA,
    GradeB,
    GradeC,
    GradeD,
    GradeF,
    GradeNone,
}

impl Ink {
    const ALL: [(Self, &'static str); 15] = [
        (Self::Ok, "ink-ok"),
        (Self::Critical, "ink-critical"),
        (Self::Warning, "ink-warning"),
        (Self::Info, "ink-info"),
        (Self::Quiet, "ink-quiet"),
        (Self::Track, "ink-track"),
        (Self::Mark, "ink-mark"),
        (Self::Word, "ink-word"),
        (Self::Muted, "ink-muted"),
        (Self::GradeA, "ink-grade-a"),
        (Self::GradeB, "ink-grade-b"),
        (Self::GradeC, "ink-grade-c"),
        (Self::GradeD, "ink-grade-d"),
        (Self::GradeF, "ink-grade-f"),
        (Self::GradeNone, "ink-grade-none"),
    ];

    /// The ink for a grade.
    pub(crate) fn of_grade(grade: Option<&str>) -> Self {
        match grade {
            Some("A+" | "A") => Self::GradeA,
            Some("B") => Self::GradeB,
            Some("C") => Self::GradeC,
            Some("D") => Self::GradeD,
            Some("F") => Self::GradeF,
            _ => Self::GradeNone,
        }
    }

    /// The number that stands for this ink in plotters' output.
    fn number(self) -> RGBColor {
        RGBColor(1, 0, self as u8)
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws on a plane of the given size and returns one `<svg>` of this class,
/// with a name for those who can't see it. `stretch` lets it fill its box.
fn svg(
    class: &str,
    (width, height): (u32, u32),
    stretch: bool,
    title: &str,
    draw: impl FnOnce(&Area) -> Drawn,
) -> Result<String, String> {
    let mut drawn = String::new();
    {
        let area = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
        draw(&area)
            .and_then(|()| area.present().map_err(Into::into))
            .map_err(|error| format!("cannot draw the chart '{title}': {error}"))?;
    }
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    let mut body = body
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "");
    for (ink, class) in Ink::ALL {
        let RGBColor(r, g, b) = ink.number();
        let number = format!("fill=\"#{r:02X}{g:02X}{b:02X}\"");
        body = body.replace(&number, &format!("class=\"{class}\""));
    }
    let stretch = if stretch {
        " preserveAspectRatio=\"none\""
    } else {
        ""
    };
    Ok(format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\"{stretch} role=\"img\">\
         <title>{}</title>\n{body}",
        escape(title)
    ))
}

/// The points of a ring's part, from share `from` to share `to` of the whole,
/// clockwise from the top, on a plane of 1000 × 1000.
fn arc(from: f64, to: f64, inner: f64, outer: f64) -> Vec<(i32, i32)> {
    let steps = ((to - from) * 180.0).ceil().max(1.0) as usize;
    let share = |step: usize| from + (to - from) * step as f64 / steps as f64;
    let point = |share: f64, radius: f64| {
        let (sin, cos) = (share * TAU).sin_cos();
        let place = |offset: f64| (500.0 + offset * radius).round() as i32;
        (place(sin), place(-cos))
    };
    let out = (0..=steps).map(|step| point(share(step), outer));
    let back = (0..=steps).rev().map(|step| point(share(step), inner));
    out.chain(back).collect()
}

/// A ring of parts; an empty one where there is nothing to show.
pub(crate) fn ring(title: &str, parts: &[(Ink, usize)]) -> Result<String, String> {
    let all: usize = parts.iter().map(|(_, count)| count).sum();
    svg("ring", (1000, 1000), false, title, |area| {
        if all == 0 {
            area.draw(&Polygon::new(
                arc(0.0, 1.0, 340.0, 490.0),
                Ink::Track.number(),
            ))?;
        }
        let mut before = 0;
        for &(ink, count) in parts.iter().filter(|(_, count)| *count > 0) {
            let share = |count: usize| count as f64 / all as f64;
            let points = arc(share(before), share(before + count), 340.0, 490.0);
            area.draw(&Polygon::new(points, ink.number()))?;
            before += count;
        }
        Ok(())
    })
}

/// A score of 0 to 100 as a ring filled so far.
pub(crate) fn gauge(title: &str, score: Option<i64>, ink: Ink) -> Result<String, String> {
    svg("gauge", (1000, 1000), false, title, |area| {
        area.draw(&Polygon::new(
            arc(0.0, 1.0, 410.0, 490.0),
            Ink::Track.number(),
        ))?;
        let share = score.unwrap_or(0).clamp(0, 100) as f64 / 100.0;
        if share > 0.0 {
            area.draw(&Polygon::new(arc(0.0, share, 410.0, 490.0), ink.number()))?;
        }
        Ok(())
    })
}

/// A bar for a part of a whole, its length in per mille of the box; `marks`
/// are drawn over it, in per cent.
pub(crate) fn bar(title: &str, share: f64, ink: Ink, marks: &[i32]) -> Result<String, String> {
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    svg("meter", (1000, 10), true, title, |area| {
        area.draw(&Rectangle::new(
            [(0, 0), (1000, 10)],
            Ink::Track.number().filled(),
        ))?;
        // Something is not nothing: two per mille at least.
        let length = match (share * 1000.0).round() as i32 {
            0 if share > 0.0 => 2,
            length => length,
        };
        area.draw(&Rectangle::new(
            [(0, 0), (length, 10)],
            ink.number().filled(),
        ))?;
        for mark in marks {
            let mark = [(mark * 10 - 3, 0), (mark * 10 + 3, 10)];
            area.draw(&Rectangle::new(mark, Ink::Mark.number().filled()))?;
        }
        Ok(())
    })
}

/// Columns with their label below and their number above, for an ordered scale.
pub(crate) fn columns(title: &str, bars: &[(String, usize, Ink)]) -> Result<String, String> {
    const WIDE: i32 = 72;
    const HIGH: i32 = 150;
    const HEAD: i32 = 26;
    const FOOT: i32 = 30;
    let most = bars
        .iter()
        .map(|(_, count, _)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let width = WIDE * bars.len().max(1) as i32;
    let size = (width as u32, (HEAD + HIGH + FOOT) as u32);
    svg("columns", size, false, title, |area| {
        for (at, (label, count, ink)) in bars.iter().enumerate() {
            let left = WIDE * at as i32;
            let middle = left + WIDE / 2;
            let high = (HIGH as f64 * *count as f64 / most as f64).round() as i32;
            // An empty column keeps its place on the base line.
            let (high, ink) = if *count == 0 {
                (2, Ink::Track)
            } else {
                (high.max(4), *ink)
            };
            let column = [
                (left + 10, HEAD + HIGH - high),
                (left + WIDE - 10, HEAD + HIGH),
            ];
            area.draw(&Rectangle::new(column, ink.number().filled()))?;
            let words = [
                (
                    super::html::words::count(*count as i64),
                    HEAD + HIGH - high - 8,
                    VPos::Bottom,
                    Ink::Word,
                ),
                (label.clone(), HEAD + HIGH + 10, VPos::Top, Ink::Muted),
            ];
            for (word, y, vertical, ink) in words {
                let colour = ink.number();
                let style = TextStyle::from(("sans-serif", 18).into_font())
                    .color(&colour)
                    .pos(Pos::new(HPos::Center, vertical));
                area.draw(&(EmptyElement::at((middle, y)) + Text::new(word, (0, 0), style)))?;
            }
        }
        Ok(())
    })
}

/// A value over time as steps: each point is a share of the width and of the
/// height, 0 to 1, in the order of time. A value holds until the next one.
pub(crate) fn steps(title: &str, points: &[(f64, f64)], ink: Ink) -> Result<String, String> {
    const WIDE: i32 = 320;
    const HIGH: i32 = 90;
    let at = |(x, y): (f64, f64)| {
        let place =
            |share: f64, length: i32| (share.clamp(0.0, 1.0) * f64::from(length)).round() as i32;
        (6 + place(x, WIDE - 12), HIGH - 6 - place(y, HIGH - 12))
    };
    svg(
        "steps-chart",
        (WIDE as u32, HIGH as u32),
        false,
        title,
        |area| {
            let base = [(0, HIGH - 2), (WIDE, HIGH)];
            area.draw(&Rectangle::new(base, Ink::Track.number().filled()))?;
            let fill = ink.number().filled();
            let after = points.iter().skip(1).map(|point| at(*point));
            for ((x, y), (next_x, next_y)) in points.iter().map(|point| at(*point)).zip(after) {
                area.draw(&Rectangle::new([(x, y - 1), (next_x, y + 1)], fill))?;
                let (top, bottom) = (y.min(next_y), y.max(next_y));
                area.draw(&Rectangle::new(
                    [(next_x - 1, top - 1), (next_x + 1, bottom + 1)],
                    fill,
                ))?;
            }
            for (x, y) in points.iter().map(|point| at(*point)) {
                area.draw(&Rectangle::new([(x - 3, y - 3), (x + 3, y + 3)], fill))?;
            }
            Ok(())
        },
    )
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_a_part_for_each_count_but_none() {
        let parts = [(Ink::Ok, 11), (Ink::Critical, 1), (Ink::Quiet, 0)];
        let svg = ring("Entries <1>", &parts).expect("drawn");
        assert_eq!(svg.matches("<polygon").count(), 2);
        assert!(svg.contains("<title>Entries &lt;1&gt;</title>"));
        assert!(!svg.contains("ink-quiet"));
        let empty = ring("Entries", &[(Ink::Ok, 0)]).expect("drawn");
        assert!(empty.contains("ink-track"));
    }

    #[test]
    fn bars_keep_within_their_box_whatever_the_share() {
        for (share, width) in [(0.5, 500), (7.0, 1000), (f64::INFINITY, 0), (1e-9, 2)] {
            let svg = bar("Use", share, Ink::Ok, &[80]).expect("drawn");
            let bar = svg
                .lines()
                .find(|line| line.contains("ink-ok"))
                .expect("a bar");
            assert!(
                bar.contains(&format!("width=\"{width}\"")),
                "{share}: {bar}"
            );
        }
    }

    #[test]
    fn colours_and_styles_are_left_to_the_style_sheet() {
        let bars = [
            ("A".to_owned(), 3, Ink::GradeA),
            ("<F>".to_owned(), 1, Ink::GradeF),
        ];
        for svg in [
            columns("Grades", &bars).expect("drawn"),
            gauge("Score", Some(35), Ink::GradeF).expect("drawn"),
        ] {
            assert!(!svg.contains('#') && !svg.contains("style"), "{svg}");
            assert!(svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("<F>"));
        }
    }
}
