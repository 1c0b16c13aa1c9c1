//! Curves as SVG. A dozen lines and words need no library.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
/// Room for the words on the left and below, and for the names on the right.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 16.0;
const BELOW: f64 = 48.0;
const COLORS: [&str; 6] = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"];

/// The curves, each with its name; both axes begin at zero.
pub(super) fn svg(x_name: &str, y_name: &str, curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || curves.iter().flat_map(|(_, points)| points);
    let most_x = nice(points().map(|(x, _)| *x).fold(1.0, f64::max));
    let most_y = nice(points().map(|(_, y)| *y).fold(0.1, f64::max));
    let (wide, high) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BELOW);
    let place = |(x, y): (f64, f64)| (LEFT + x / most_x * wide, TOP + high - y / most_y * high);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"none\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (x, y) = place((share * most_x, share * most_y));
        let (right, bottom) = (LEFT + wide, TOP + high);
        let _written = writeln!(
            out,
            "<path d=\"M{LEFT:.1} {y:.1}H{right:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"black\" text-anchor=\"end\">{}</text>\
             <text x=\"{x:.1}\" y=\"{:.1}\" fill=\"black\" text-anchor=\"middle\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            share * most_y,
            bottom + 16.0,
            share * most_x,
        );
    }
    let _written = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"black\" text-anchor=\"middle\">{x_name}</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" fill=\"black\" text-anchor=\"middle\">{y_name}</text>",
        LEFT + wide / 2.0,
        HEIGHT - 10.0,
        TOP + high / 2.0,
    );
    for (at, (name, points)) in curves.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        let line: Vec<String> =
            points.iter().map(|point| place(*point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (x, y) = (LEFT + wide + 12.0, TOP + 12.0 + 18.0 * at as f64);
        let _written = writeln!(
            out,
            "<polyline points=\"{}\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <path d=\"M{x:.1} {:.1}h14\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{y:.1}\" fill=\"black\" font-size=\"11\">{name}</text>",
            line.join(" "),
            y - 4.0,
            x + 18.0,
        );
    }
    out + "</svg>\n"
}

/// The next number of one digit, or one and a half of it, that is not smaller.
fn nice(most: f64) -> f64 {
    let scale = 10_f64.powf(most.log10().floor());
    [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0]
        .map(|digit| digit * scale)
        .into_iter()
        .find(|nice| *nice >= most)
        .unwrap_or(10.0 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_number_that_is_not_smaller() {
        assert_eq!([1.0, 64.0, 100.0, 0.9, 2_000_000.0].map(nice), [1.0, 80.0, 100.0, 1.0, 2_000_000.0]);
    }

    #[test]
    fn each_curve_is_drawn_and_named() {
        let drawn = svg("topics", "µs", &[("raw", vec![(1.0, 2.0), (50.0, 4.0)]), ("ours", vec![(1.0, 3.0)])]);
        assert_eq!(drawn.matches("<polyline").count(), 2);
        assert!(drawn.contains(">raw<") && drawn.contains(">topics<") && drawn.ends_with("</svg>\n"));
    }
}
