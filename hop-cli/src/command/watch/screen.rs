//! Drawing the screen.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, ListState, Paragraph, Wrap};

use super::state::{Shown, Watch};
use crate::chart;
use crate::moment;

const KEYS: &str = " ↑↓ choose   ←→ scroll   g newest   G oldest   space pause   q leave ";
/// Narrower than this, the list has the screen to itself; lower, the map is left out.
const NARROW: u16 = 90;
const LOW: u16 = 22;

pub(super) fn draw(frame: &mut Frame<'_>, watch: &mut Watch) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(headline(watch), head);
    frame.render_widget(Line::styled(KEYS, Style::new().add_modifier(Modifier::DIM)), foot);
    let is_narrow = body.width < NARROW;
    let split = match is_narrow {
        true => Layout::vertical([Constraint::Percentage(50), Constraint::Fill(1)]),
        false => Layout::horizontal([Constraint::Percentage(45), Constraint::Fill(1)]),
    };
    let [left, right] = split.areas(body);
    let topics = u16::try_from(watch.rates.len().min(6)).unwrap_or(6);
    let rates = if topics > 1 && !is_narrow { topics + 2 } else { 0 };
    let [list, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(rates)]).areas(left);
    draw_list(frame, watch, list);
    if rates > 0 {
        draw_rates(frame, watch, below);
    }
    let map = if is_narrow || right.height < LOW { 0 } else { (right.width / 4 + 2).min(right.height / 2) };
    let [above, details] = Layout::vertical([Constraint::Length(map), Constraint::Fill(1)]).areas(right);
    if map > 0 {
        let block = Block::bordered().title(" sky ");
        let (chart, chosen) = watch.chart();
        chart::text::draw(&chart, chosen, block.inner(above), frame.buffer_mut());
        frame.render_widget(block, above);
    }
    draw_details(frame, watch, details);
}

/// Where from, how many, and how the connection is.
fn headline(watch: &Watch) -> Line<'static> {
    let mut parts = vec![
        Span::styled(format!(" {}", watch.url), Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!("   {} messages", watch.total)),
    ];
    if watch.undecodable > 0 {
        parts.push(Span::styled(format!(", {} do not decode", watch.undecodable), Style::new().fg(Color::Red)));
    }
    if watch.is_paused {
        parts.push(Span::styled("   paused", Style::new().fg(Color::Yellow)));
    }
    if let Some(said) = &watch.said {
        parts.push(Span::styled(format!("   {said}"), Style::new().fg(Color::Yellow)));
    }
    Line::from(parts)
}

fn draw_list(frame: &mut Frame<'_>, watch: &Watch, area: Rect) {
    let now = Timestamp::now();
    let item = |shown: &Shown| {
        let age = shown
            .published
            .map_or_else(String::new, |at| moment::in_words(now.as_second().saturating_sub(at.as_second()).max(0)));
        let style = match (shown.is_bad, shown.is_test) {
            (true, _) => Style::new().fg(Color::Red),
            (_, true) => Style::new().add_modifier(Modifier::DIM),
            _ => Style::new(),
        };
        let place = if shown.mark.is_some() { "●" } else { " " };
        ListItem::new(Line::styled(format!("{age:>7} {place} {}", shown.title), style))
    };
    let block = Block::bordered().title(" alerts, the newest first ");
    if watch.alerts.is_empty() {
        frame.render_widget(Paragraph::new("waiting for the first one").block(block), area);
        return;
    }
    let list = List::new(watch.alerts.iter().map(item))
        .block(block)
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = ListState::default().with_selected(Some(watch.chosen));
    frame.render_stateful_widget(list, area, &mut state);
}

fn draw_rates(frame: &mut Frame<'_>, watch: &mut Watch, area: Rect) {
    let second = watch.second();
    let mut rates: Vec<(u64, u64, &String)> =
        watch.rates.iter_mut().map(|(topic, rate)| (rate.recent(second), rate.total, topic)).collect();
    rates.sort_by(|a, b| b.cmp(a));
    let lines: Vec<Line<'_>> =
        rates.iter().map(|(recent, total, topic)| Line::from(format!("{recent:>6} {total:>9}  {topic}"))).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" last minute, in all, topic ")), area);
}

fn draw_details(frame: &mut Frame<'_>, watch: &mut Watch, area: Rect) {
    let block = Block::bordered().title(" details ");
    let Some(shown) = watch.alerts.get(watch.chosen) else {
        frame.render_widget(block, area);
        return;
    };
    let title = Line::styled(shown.title.clone(), Style::new().add_modifier(Modifier::BOLD));
    let rows = shown.details.iter().map(|(name, value)| match name.is_empty() {
        true => Line::raw(value.clone()),
        false => Line::from(vec![
            Span::styled(format!("{name:<14} "), Style::new().add_modifier(Modifier::DIM)),
            Span::raw(value.clone()),
        ]),
    });
    let lines: Vec<Line<'_>> = std::iter::once(title).chain(rows).collect();
    // Whoever scrolls beyond the end comes back at once.
    watch.scrolled = watch.scrolled.min(lines.len().saturating_sub(1));
    let scrolled = u16::try_from(watch.scrolled).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scrolled, 0)).block(block), area);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::state::tests::alert;
    use super::*;

    fn shown(watch: &mut Watch, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, watch)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_screen_shows_alerts_their_places_and_the_chosen_one() {
        let mut watch = Watch::new("kafka://localhost/gcn.circular");
        assert!(shown(&mut watch, 120, 40).contains("waiting for the first one"));
        watch.add(alert("GRB 261127A: Swift-BAT refined analysis", 7));
        let screen = shown(&mut watch, 120, 40);
        for part in [
            "kafka://localhost/gcn.circular",
            "1 messages",
            "GRB 261127A",
            "gcn.circular[0]@7",
            " sky ",
            "q leave",
            "At RA",
        ] {
            assert!(screen.contains(part), "{part}\n{screen}");
        }
        watch.note("the connection to the broker is lost");
        assert!(shown(&mut watch, 120, 40).contains("the connection to the broker is lost"));
    }

    #[test]
    fn a_screen_of_any_size_is_drawn() {
        let mut watch = Watch::new("kafka://localhost/gcn.circular");
        for offset in 0..30 {
            watch.add(alert("GRB 261127A", offset));
        }
        for width in [0, 1, 2, 10, 40, 89, 90, 200, 500] {
            for height in [0, 1, 2, 3, 10, 21, 22, 100] {
                let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
                terminal.draw(|frame| draw(frame, &mut watch)).unwrap();
            }
        }
    }
}
