//! `2026-10-11`, `20261011`, `11.10.2026`, `10/31/2026`, `October 11, 2026`, `11-OCT-26`.

use super::Order;
use super::calendar::{digits, number};

/// Year, month, day.
type Date = (i16, i16, i16);

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The date that a text begins with, and what follows.
pub(super) fn read(text: &str, order: Option<Order>) -> Option<(Date, &str)> {
    let text = without_weekday(text);
    let (head, rest) = digits(text);
    match head.len() {
        0 => month_day_year(text),
        // With the clock behind it, digits alone.
        8 | 12 | 14 | 17 => {
            let (date, clock) = text.split_at_checked(8)?;
            let part = |from: usize, to: usize| date.get(from..to).and_then(number);
            Some(((part(0, 4)?, part(4, 6)?, part(6, 8)?), clock))
        }
        4 => {
            let (between, rest) = separator(rest)?;
            let (month, rest) = month(rest)?;
            let rest = rest.strip_prefix(between)?;
            let (day, rest) = digits(rest);
            (day.len() <= 2).then_some(((number(head)?, month, number(day)?), rest))
        }
        1 | 2 => {
            let first = number(head)?;
            match separator(rest) {
                // `28APR26`, `28 Apr 2026`
                None => named(first, rest.trim_start()),
                Some((_, rest)) if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                    named(first, rest)
                }
                Some((between, rest)) => {
                    let (second, rest) = digits(rest);
                    let second = number(second).filter(|_| second.len() <= 2)?;
                    let (year, rest) = year(rest.strip_prefix(between)?)?;
                    let (month, day) = month_and_day(first, second, between, order)?;
                    Some(((year, month, day), rest))
                }
            }
        }
        _ => None,
    }
}

/// Of two numbers, which is the month: the carrier's order, or else the one that can be one.
fn month_and_day(
    first: i16,
    second: i16,
    between: char,
    order: Option<Order>,
) -> Option<(i16, i16)> {
    // With points nobody puts the month first.
    let order = if between == '.' { Some(Order::Day) } else { order };
    match (first > 12, second > 12, order) {
        (true, false, _) => Some((second, first)),
        (false, true, _) if between != '.' => Some((first, second)),
        (false, false, Some(Order::Day)) => Some((second, first)),
        (false, false, Some(Order::Month)) => Some((first, second)),
        (false, false, None) if first == second => Some((first, second)),
        _ => None,
    }
}

/// `APR26`, `Apr 2026`, `April, 2026`: what follows a day.
fn named(day: i16, text: &str) -> Option<((i16, i16, i16), &str)> {
    let (month, rest) = month(text)?;
    let (year, rest) = year(rest.trim_start_matches(['-', '/', '.', ',', ' ']))?;
    Some(((year, month, day), rest))
}

/// `April 28, 2015`.
fn month_day_year(text: &str) -> Option<(Date, &str)> {
    let (month, rest) = month(text)?;
    let (day, rest) = digits(rest.trim_start_matches(['-', '.', ' ']));
    let day = number(day).filter(|_| day.len() <= 2)?;
    let (year, rest) = year(rest.trim_start_matches([',', '-', ' ']))?;
    Some(((year, month, day), rest))
}

/// A month by its number, or by its English name or the first three letters of it.
fn month(text: &str) -> Option<(i16, &str)> {
    let (number_of, rest) = digits(text);
    if !number_of.is_empty() {
        return (number_of.len() <= 2).then_some((number(number_of)?, rest));
    }
    let end = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, rest) = text.split_at(end);
    let is = |month: &&'static str| {
        let short = month.get(..3).unwrap_or(month);
        [*month, short].iter().any(|known| known.eq_ignore_ascii_case(name))
            || (*month == "september" && name.eq_ignore_ascii_case("sept"))
    };
    let position = MONTHS.iter().position(is)?;
    Some((i16::try_from(position).ok()? + 1, rest))
}

/// Of two digits: this century's.
fn year(text: &str) -> Option<(i16, &str)> {
    let (year, rest) = digits(text);
    match year.len() {
        4 => Some((number(year)?, rest)),
        2 => Some((2000 + number(year)?, rest)),
        _ => None,
    }
}

fn separator(text: &str) -> Option<(char, &str)> {
    ['-', '/', '.'].into_iter().find_map(|between| Some((between, text.strip_prefix(between)?)))
}

/// `Tue, ` and `Tuesday ` say nothing that the date does not.
fn without_weekday(text: &str) -> &str {
    let end = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, rest) = text.split_at(end);
    let is = |day: &&'static str| {
        let known = [*day, day.get(..3).unwrap_or(day)];
        known.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    if days.iter().any(is) { rest.trim_start_matches([',', ' ', '.']) } else { text }
}
