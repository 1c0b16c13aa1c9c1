//! The map as SVG.

use std::fmt::Write;

use super::{Chart, Ink, Line, Point, Word};

/// The size of the picture, in pixels, and that of half the map's height.
pub(super) const WIDTH: u32 = 1200;
pub(super) const HEIGHT: u32 = 680;
pub(super) const SCALE: f64 = 280.0;
/// Where the middle of the map is.
pub(super) const MIDDLE: (f64, f64) = (600.0, 360.0);
/// The height of the letters of the title, of labels, and of the numbers of the grid.
pub(super) const TITLE: f64 = 24.0;
pub(super) const LABEL: f64 = 18.0;
pub(super) const NUMBER: f64 = 13.0;
/// The radius of a mark.
pub(super) const DISC: f64 = 4.0;

/// The colours of marks, by Okabe and Ito: told apart by the colour-blind too.
const COLOURS: [[u8; 3]; 6] =
    [[213, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [86, 180, 233], [230, 159, 0]];

pub(super) fn colour(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Edge => [60, 60, 60],
        Ink::Grid => [205, 205, 205],
        Ink::Galaxy => [150, 150, 170],
        Ink::Mark(number) => COLOURS[number % COLOURS.len()],
    }
}

/// Where a point of the map is in the picture.
pub(super) fn place(at: Point) -> (f64, f64) {
    (MIDDLE.0 + at.x * SCALE, MIDDLE.1 - at.y * SCALE)
}

/// Where the label of a mark stands, and whether it ends there: towards the middle, so that it stays in the picture.
pub(super) fn beside(at: Point) -> ((f64, f64), bool) {
    let (x, y) = place(at);
    let ends = x > MIDDLE.0;
    ((if ends { x - 2.5 * DISC } else { x + 2.5 * DISC }, y - 2.0 * DISC), ends)
}

/// Draws the map.
pub(crate) fn draw(chart: &Chart, title: &str) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"DejaVu Sans, sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for line in Chart::sky().iter().chain(&chart.regions()) {
        out += &polyline(line);
    }
    for Word { at, text } in Chart::numbers() {
        let (x, y) = place(at);
        word(&mut out, (x, y + NUMBER / 3.0), NUMBER, "middle", [120, 120, 120], &text);
    }
    for (number, Word { at, text }) in chart.places().into_iter().enumerate() {
        let (x, y) = place(at);
        let colour = colour(Ink::Mark(number));
        let _written = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{DISC}\" fill=\"{}\"/>", hex(colour));
        let (at, ends) = beside(at);
        word(&mut out, at, LABEL, if ends { "end" } else { "start" }, colour, &text);
    }
    word(&mut out, (MIDDLE.0, 2.0 * TITLE), TITLE, "middle", [0, 0, 0], title);
    out + "</svg>\n"
}

fn polyline(line: &Line) -> String {
    let points: Vec<String> = line.points.iter().map(|at| place(*at)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let width = width(line.ink);
    let dash = if line.ink == Ink::Galaxy { " stroke-dasharray=\"6 6\"" } else { "" };
    format!(
        "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dash} points=\"{}\"/>\n",
        hex(colour(line.ink)),
        points.join(" ")
    )
}

pub(super) fn width(ink: Ink) -> f32 {
    match ink {
        Ink::Grid => 1.0,
        Ink::Galaxy | Ink::Edge => 1.5,
        Ink::Mark(_) => 2.5,
    }
}

fn word(out: &mut String, (x, y): (f64, f64), size: f64, anchor: &str, colour: [u8; 3], text: &str) {
    let mut escaped = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    let _written = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{}\">{escaped}</text>",
        hex(colour)
    );
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_xml_with_its_mark_and_its_words() {
        let mut chart = super::super::tests::chart();
        chart.marks[0].label = "<GRB> & \u{1b}[2J".to_owned();
        let drawn = draw(&chart, "A & B");
        let (x, y) = place(chart.places()[0].at);
        assert!(drawn.contains(&format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\"")), "{drawn}");
        assert!(drawn.contains(">&lt;GRB&gt; &amp; [2J</text>") && drawn.contains(">A &amp; B<"));
        assert!(drawn.ends_with("</svg>\n") && !drawn.contains('\u{1b}'));
    }
}
