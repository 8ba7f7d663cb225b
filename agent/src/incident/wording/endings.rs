use karaul_wire::{Alert, CloseReason, Language, RuleKind};

/// Why it is over, in the words of its kind.
pub(super) fn ending(language: Language, alert: &Alert, reason: CloseReason) -> &'static str {
    let [kk, ru, en] = match reason {
        CloseReason::Cleared if alert.storm.is_some() => {
            ["дабылдар азайды", "тревог снова мало", "the rate has fallen"]
        }
        CloseReason::Cleared => cleared(alert.rule.kind),
        CloseReason::Lost => ["енді көрінбейді", "больше не видно", "no longer seen"],
        CloseReason::Disarmed => ["күзет өшірілді", "снято с охраны", "disarmed"],
        CloseReason::Blind => ["камера көрмейді", "камера не видит", "the camera went blind"],
        CloseReason::Stopped => ["агент тоқтатылды", "агент остановлен", "the agent was stopped"],
        CloseReason::Restarted => ["агент қайта іске қосылды", "агент перезапущен", "the agent was restarted"],
        CloseReason::Resolved => ["оператор жапты", "закрыто оператором", "closed by an operator"],
        CloseReason::FalsePositive => ["жалған дабыл", "ложная тревога", "a false alarm"],
    };
    match language {
        Language::Kk => kk,
        Language::Ru => ru,
        Language::En => en,
    }
}

/// What it means for a rule of this kind that its condition no longer holds.
fn cleared(kind: RuleKind) -> [&'static str; 3] {
    match kind {
        RuleKind::Intrusion | RuleKind::Loitering => ["аймақтан шықты", "зона покинута", "left the zone"],
        RuleKind::Crowd => ["топталу тарады", "скопления больше нет", "no longer a crowd"],
        RuleKind::Occupancy => ["орын босады", "места снова есть", "there is room again"],
        RuleKind::Absence => ["бекетте қайтадан адам бар", "пост снова занят", "manned again"],
        RuleKind::AbandonedObject => ["зат алып кетілді", "предмет забрали", "taken away"],
        RuleKind::RemovedObject => ["зат қайтадан орнында", "предмет снова на месте", "back in its place"],
        RuleKind::WrongWay => {
            ["қарсы бағытта енді қозғалмайды", "больше не движется навстречу", "no longer going the wrong way"]
        }
        RuleKind::Speed => ["жылдамдық азайды", "скорость снизилась", "slower again"],
        RuleKind::Running => ["енді жүгірмейді", "больше не бежит", "no longer running"],
        RuleKind::StoppedVehicle => ["орнынан қозғалды", "больше не стоит", "no longer standing"],
        RuleKind::PersonDown => ["қайта тұрды", "больше не лежит", "up again"],
        RuleKind::ObjectSeen => ["енді көрінбейді", "больше не видно", "no longer seen"],
        RuleKind::Group => ["топ тарады", "группа разошлась", "the group has dispersed"],
        RuleKind::CameraTampering => {
            ["кескін қалпына келді", "изображение снова в порядке", "the picture is sound again"]
        }
        RuleKind::CameraLoss => ["кескін қайта келді", "изображение снова есть", "pictures come again"],
        // The rest are moments.
        _ => ["аяқталды", "завершено", "over"],
    }
}
