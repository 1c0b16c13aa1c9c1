//! The map as PNG.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Stroke, StrokeDash, Transform};

use super::svg::{DISC, HEIGHT, LABEL, MIDDLE, NUMBER, TITLE, WIDTH, beside, colour, place, width};
use super::{Chart, Ink, Line, Word};

/// Latin letters, digits and signs of DejaVu Sans; its licence lies beside it.
const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// Which point of a word stands at the place given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// Draws the map; `None` where there is no memory for it.
pub(crate) fn draw(chart: &Chart, title: &str) -> Option<Vec<u8>> {
    let mut pixels = Pixmap::new(WIDTH, HEIGHT)?;
    pixels.fill(Color::WHITE);
    for line in Chart::sky().iter().chain(&chart.regions()) {
        stroke(&mut pixels, line);
    }
    let font = FontRef::try_from_slice(FONT).ok()?;
    for Word { at, text } in Chart::numbers() {
        let (x, y) = place(at);
        word(&mut pixels, &font, (x, y + NUMBER / 3.0), NUMBER, Anchor::Middle, [120, 120, 120], &text);
    }
    for (number, Word { at, text }) in chart.places().into_iter().enumerate() {
        let (x, y) = place(at);
        let colour = colour(Ink::Mark(number));
        let disc = PathBuilder::from_circle(x as f32, y as f32, DISC as f32)?;
        pixels.fill_path(&disc, &paint(colour), FillRule::Winding, Transform::identity(), None);
        let (at, ends) = beside(at);
        word(&mut pixels, &font, at, LABEL, if ends { Anchor::End } else { Anchor::Start }, colour, &text);
    }
    word(&mut pixels, &font, (MIDDLE.0, 2.0 * TITLE), TITLE, Anchor::Middle, [0, 0, 0], title);
    pixels.encode_png().ok()
}

fn paint([red, green, blue]: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn stroke(pixels: &mut Pixmap, line: &Line) {
    let mut path = PathBuilder::new();
    for (number, (x, y)) in line.points.iter().map(|at| place(*at)).enumerate() {
        match number {
            0 => path.move_to(x as f32, y as f32),
            _ => path.line_to(x as f32, y as f32),
        }
    }
    // A line of one point is none.
    let Some(path) = path.finish() else { return };
    let dash = if line.ink == Ink::Galaxy { StrokeDash::new(vec![6.0, 6.0], 0.0) } else { None };
    let stroke = Stroke { width: width(line.ink), dash, ..Stroke::default() };
    pixels.stroke_path(&path, &paint(colour(line.ink)), &stroke, Transform::identity(), None);
}

fn word(
    pixels: &mut Pixmap,
    font: &FontRef<'_>,
    (x, y): (f64, f64),
    size: f64,
    anchor: Anchor,
    colour: [u8; 3],
    text: &str,
) {
    // A size in pixels is that of the em, as it is in SVG.
    let em = font.units_per_em().unwrap_or(1.0);
    let scale = PxScale::from(size as f32 * font.height_unscaled() / em);
    let font = font.as_scaled(scale);
    let shown: Vec<char> = text.chars().filter(|c| !c.is_control()).collect();
    let length: f32 = shown.iter().map(|c| font.h_advance(font.glyph_id(*c))).sum();
    let mut at = x as f32
        - match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => length / 2.0,
            Anchor::End => length,
        };
    for c in shown {
        let id = font.glyph_id(c);
        let glyph = Glyph { id, scale, position: point(at, y as f32) };
        at += font.h_advance(id);
        let Some(outlined) = font.outline_glyph(glyph) else { continue };
        let bounds = outlined.px_bounds();
        outlined.draw(|across, down, covered| {
            blend(pixels, bounds.min.x + across as f32, bounds.min.y + down as f32, covered, colour);
        });
    }
}

/// Lays a colour over the pixel there, if the picture has it.
fn blend(pixels: &mut Pixmap, x: f32, y: f32, covered: f32, colour: [u8; 3]) {
    let (width, height) = (pixels.width(), pixels.height());
    if x < 0.0 || y < 0.0 || x >= width as f32 || y >= height as f32 {
        return;
    }
    let index = y as usize * width as usize + x as usize;
    let Some(pixel) = pixels.pixels_mut().get_mut(index) else { return };
    let covered = covered.clamp(0.0, 1.0);
    let mix = |below: u8, above: u8| (f32::from(below) * (1.0 - covered) + f32::from(above) * covered).round() as u8;
    let [red, green, blue] = colour;
    // The picture is opaque, so that premultiplied colours are plain ones.
    let mixed =
        PremultipliedColorU8::from_rgba(mix(pixel.red(), red), mix(pixel.green(), green), mix(pixel.blue(), blue), 255);
    *pixel = mixed.unwrap_or(*pixel);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_size_its_mark_and_its_words() {
        let chart = super::super::tests::chart();
        let encoded = draw(&chart, "GRB 261127A: Swift-BAT").unwrap();
        let pixels = Pixmap::decode_png(&encoded).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (WIDTH, HEIGHT));
        let at = |x: f64, y: f64| {
            let pixel = pixels.pixel(x as u32, y as u32).unwrap();
            [pixel.red(), pixel.green(), pixel.blue()]
        };
        let (x, y) = place(chart.places()[0].at);
        assert_eq!(at(x, y), colour(Ink::Mark(0)));
        assert_eq!(at(2.0, 2.0), [255; 3]);
        // The edge of the region is drawn, ten degrees north of the mark.
        let (ra, dec) = chart.marks[0].position.offset(0.0, 10.0);
        let (x, y) = place(super::super::project(ra, dec));
        assert_eq!(at(x, y), colour(Ink::Mark(0)));
        // Letters are drawn where the title stands, and nothing below the map.
        let dark = |rows: std::ops::Range<u32>| {
            let pixels = rows.flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
            pixels.filter(|(x, y)| at(f64::from(*x), f64::from(*y))[0] < 100).count()
        };
        assert!(dark(20..56) > 500, "{}", dark(20..56));
        assert_eq!(dark(HEIGHT - 30..HEIGHT), 0);
    }

    #[test]
    fn a_label_longer_than_the_picture_does_no_harm() {
        let mut chart = super::super::tests::chart();
        chart.marks[0].label = "漢字\u{1b}[31m ".repeat(1000);
        assert!(draw(&chart, &"x".repeat(10_000)).is_some());
    }
}
