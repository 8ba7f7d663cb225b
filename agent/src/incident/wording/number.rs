use karaul_wire::Language;

/// A number with at most so many decimals, and none that say nothing.
pub(super) fn number(language: Language, value: f64, decimals: usize) -> String {
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    match language {
        Language::En => text,
        Language::Kk | Language::Ru => text.replace('.', ","),
    }
}

/// A time in words: seconds, from two minutes on minutes, from two hours on hours and minutes.
pub(super) fn span(language: Language, seconds: i64) -> String {
    let (second, minute, hour) = match language {
        Language::Kk => ("с", "мин", "сағ"),
        Language::Ru => ("с", "мин", "ч"),
        Language::En => ("s", "min", "h"),
    };
    match (seconds, seconds / 60) {
        (..120, _) => format!("{seconds} {second}"),
        (_, minutes @ ..120) => format!("{minutes} {minute}"),
        (_, minutes) if minutes % 60 == 0 => format!("{} {hour}", minutes / 60),
        (_, minutes) => format!("{} {hour} {} {minute}", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_need_to_be() {
        let said = |value, decimals| Language::ALL.map(|language| number(language, value, decimals));
        assert_eq!(said(20.0, 1), ["20", "20", "20"]);
        assert_eq!(said(1.84, 1), ["1,8", "1,8", "1.8"]);
        assert_eq!(said(0.05, 2), ["0,05", "0,05", "0.05"]);
        assert_eq!(said(100.0, 0), ["100", "100", "100"]);
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        let said = |seconds| Language::ALL.map(|language| span(language, seconds));
        assert_eq!(said(119), ["119 с", "119 с", "119 s"]);
        assert_eq!(said(120), ["2 мин", "2 мин", "2 min"]);
        assert_eq!(said(7_199), ["119 мин", "119 мин", "119 min"]);
        assert_eq!(said(7_200), ["2 сағ", "2 ч", "2 h"]);
        assert_eq!(said(9_000), ["2 сағ 30 мин", "2 ч 30 мин", "2 h 30 min"]);
    }
}
