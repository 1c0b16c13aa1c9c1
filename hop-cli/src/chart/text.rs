//! The map in a terminal, in dots of Braille.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Context, Line as Segment, Points};

use super::{Chart, Ink, Line, Word};

/// Cells are twice as high as wide, and the map is twice as wide as high.
const RATIO: u16 = 4;

/// The colour of a mark; sixteen colours, which every terminal has.
fn colour(ink: Ink) -> Color {
    const MARKS: [Color; 6] = [
        Color::LightRed,
        Color::LightBlue,
        Color::LightGreen,
        Color::LightMagenta,
        Color::LightCyan,
        Color::LightYellow,
    ];
    match ink {
        Ink::Edge => Color::Gray,
        Ink::Grid | Ink::Galaxy => Color::DarkGray,
        Ink::Mark(number) => MARKS[number % MARKS.len()],
    }
}

/// Draws the map as large as the area allows; the mark of number `chosen` stands out.
pub(crate) fn draw(chart: &Chart, chosen: Option<usize>, area: Rect, buffer: &mut Buffer) {
    let height = area.height.min(area.width / RATIO);
    let width = (height * RATIO).min(area.width);
    let inner = Rect { x: area.x + (area.width - width) / 2, y: area.y, width, height };
    let places = chart.places();
    Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([-2.02, 2.02])
        .y_bounds([-1.02, 1.02])
        .paint(|context| {
            // The grid is fainter than the edge: points, of which a cell may hold few.
            for line in Chart::sky() {
                match line.ink {
                    Ink::Edge => segments(context, &line),
                    _ => {
                        let coords: Vec<(f64, f64)> = line.points.iter().step_by(4).map(|at| (at.x, at.y)).collect();
                        context.draw(&Points { coords: &coords, color: colour(line.ink) });
                    }
                }
            }
            context.layer();
            for line in chart.regions() {
                segments(context, &line);
            }
            context.layer();
            for (number, Word { at, .. }) in places.iter().enumerate() {
                let sign = if chosen.is_none_or(|chosen| chosen == number) { "●" } else { "•" };
                let style = Style::new().fg(colour(Ink::Mark(number)));
                context.print(at.x, at.y, ratatui::text::Line::styled(sign, style));
            }
        })
        .render(inner, buffer);
}

fn segments(context: &mut Context<'_>, line: &Line) {
    for pair in line.points.windows(2) {
        context.draw(&Segment::new(pair[0].x, pair[0].y, pair[1].x, pair[1].y, colour(line.ink)));
    }
}

/// Returns the map as lines of text, without colours.
pub(crate) fn lines(chart: &Chart, width: u16) -> Vec<String> {
    let area = Rect::new(0, 0, width, width / RATIO);
    let mut buffer = Buffer::empty(area);
    draw(chart, None, area, &mut buffer);
    let row = |y: u16| {
        let cells: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        cells.trim_end().to_owned()
    };
    (0..area.height).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_where_it_belongs() {
        let chart = super::super::tests::chart();
        let lines = lines(&chart, 80);
        assert_eq!(lines.len(), 20);
        // At 5.6 h and 22 degrees north: to the right, above the middle.
        let row = lines.iter().position(|line| line.contains('●')).unwrap();
        let column = lines[row].chars().position(|c| c == '●').unwrap();
        assert!((5..9).contains(&row) && (55..65).contains(&column), "{row} {column}\n{}", lines.join("\n"));
        assert_eq!(super::lines(&chart, 0), Vec::<String>::new());
    }
}
