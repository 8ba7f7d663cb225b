use proptest::prelude::*;

use super::*;

/// Pieces that make texts which are nearly configs.
fn nearly_toml() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = SITE.split_inclusive([' ', '\n', '"', '[', ']', ',']).collect();
    let odd =
        vec!["[", "]", "[[", "=", "\"", "'''", "\n", "nan", "-1", "1e400", "{", "}", "camera", "\u{1F512}", "#", "."];
    let piece = prop::sample::select([pieces, odd].concat());
    prop::collection::vec(piece, 0..120).prop_map(|v| v.concat())
}

/// The config with some of its characters replaced.
fn damaged() -> impl Strategy<Value = String> {
    let hit = (0..SITE.len(), prop::sample::select(vec!["", "\"", "=", "[", "]", "9", "-", "\n", "ж", "@"]));
    prop::collection::vec(hit, 1..6).prop_map(|mut hits| {
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.0));
        let mut text = SITE.to_owned();
        hits.dedup_by_key(|hit| hit.0);
        for (at, new) in hits {
            text.replace_range(at..=at, new);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_panics(text in prop_oneof![nearly_toml(), damaged(), "(?s).{0,60}"]) {
        let folder = Folder::new();
        let Outcome { config, problems } = folder.read(&text, Secrets::Required);
        prop_assert_eq!(config.is_some(), problems.count(crate::config::Level::Error) == 0);
        prop_assert!(!problems.fancy(true, 80).is_empty() || problems.list().is_empty());
        for line in problems.list().iter().filter_map(|p| p.line) {
            prop_assert!(line >= 1 && line <= text.matches('\n').count() + 1);
        }
    }

    /// Whatever else is damaged, the password in the file is not shown.
    #[test]
    fn no_damage_shows_a_password(at in 0..SITE.len(), new in "[\"=\\[\\]a\n@:]{0,2}", user in any::<bool>()) {
        let secret = if user { "rtsp://admin:Sw0rdf1sh@192.0.2.11" } else { "rtsp://192.0.2.11" };
        let text = SITE.replace("rtsp://192.0.2.11", secret).replace("credential:gate", "Sw0rdf1sh");
        // The words that give the secret away stay whole.
        let keep = |word: &str| text.match_indices(word).all(|(i, _)| at < i || at > i + word.len() + 16);
        prop_assume!(keep("password = ") && keep("rtsp://admin"));
        let mut text = text.clone();
        let at = at.min(text.len());
        text.replace_range(at..at, &new);
        let folder = Folder::new();
        let problems = folder.read(&text, Secrets::Required).problems;
        prop_assert!(problems.count(crate::config::Level::Error) > 0);
        for shown in [problems.to_string(), problems.fancy(false, 100), format!("{problems:?}")] {
            prop_assert!(!shown.contains("Sw0rdf1sh"), "{}", shown);
        }
    }
}
