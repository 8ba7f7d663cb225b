use karaul_wire::{Language, Object};

/// A class in words: one of them in Kazakh, which also follows a number; in Russian one, and of many; in English one,
/// and many.
type Word = (&'static str, &'static str, [&'static str; 2], [&'static str; 2]);

/// The classes that rules of schools, police and military units name most; others keep the model's own name.
const WORDS: [Word; 28] = [
    // What no model has named.
    ("object", "зат", ["предмет", "предметов"], ["object", "objects"]),
    ("person", "адам", ["человек", "людей"], ["person", "persons"]),
    ("bicycle", "велосипед", ["велосипед", "велосипедов"], ["bicycle", "bicycles"]),
    ("car", "автокөлік", ["автомобиль", "автомобилей"], ["car", "cars"]),
    ("motorcycle", "мотоцикл", ["мотоцикл", "мотоциклов"], ["motorcycle", "motorcycles"]),
    ("bus", "автобус", ["автобус", "автобусов"], ["bus", "buses"]),
    ("truck", "жүк көлігі", ["грузовик", "грузовиков"], ["truck", "trucks"]),
    ("train", "пойыз", ["поезд", "поездов"], ["train", "trains"]),
    ("boat", "қайық", ["лодка", "лодок"], ["boat", "boats"]),
    ("animal", "жануар", ["животное", "животных"], ["animal", "animals"]),
    ("dog", "ит", ["собака", "собак"], ["dog", "dogs"]),
    ("cat", "мысық", ["кошка", "кошек"], ["cat", "cats"]),
    ("bird", "құс", ["птица", "птиц"], ["bird", "birds"]),
    ("horse", "жылқы", ["лошадь", "лошадей"], ["horse", "horses"]),
    ("sheep", "қой", ["овца", "овец"], ["sheep", "sheep"]),
    ("cow", "сиыр", ["корова", "коров"], ["cow", "cows"]),
    ("bear", "аю", ["медведь", "медведей"], ["bear", "bears"]),
    ("backpack", "арқа сөмке", ["рюкзак", "рюкзаков"], ["backpack", "backpacks"]),
    ("handbag", "сөмке", ["сумка", "сумок"], ["handbag", "handbags"]),
    ("suitcase", "шабадан", ["чемодан", "чемоданов"], ["suitcase", "suitcases"]),
    ("bottle", "бөтелке", ["бутылка", "бутылок"], ["bottle", "bottles"]),
    ("cell phone", "телефон", ["телефон", "телефонов"], ["cell phone", "cell phones"]),
    ("knife", "пышақ", ["нож", "ножей"], ["knife", "knives"]),
    ("gun", "атыс қаруы", ["огнестрельное оружие", "единиц оружия"], ["gun", "guns"]),
    ("weapon", "қару", ["оружие", "единиц оружия"], ["weapon", "weapons"]),
    ("fire", "от", ["огонь", "очагов огня"], ["fire", "fires"]),
    ("smoke", "түтін", ["дым", "мест с дымом"], ["smoke", "places with smoke"]),
    ("vehicle", "көлік", ["транспортное средство", "транспортных средств"], ["vehicle", "vehicles"]),
];

fn word(class: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.0 == class)
}

/// The class of one object.
pub(super) fn named(language: Language, class: &str) -> &str {
    match (word(class), language) {
        (Some((_, kk, ..)), Language::Kk) => kk,
        (Some((_, _, [ru, _], _)), Language::Ru) => ru,
        (Some((.., [en, _])), Language::En) => en,
        (None, _) => class,
    }
}

/// So many objects. Of several classes, they are objects.
pub(super) fn several(language: Language, count: u32, objects: &[Object]) -> String {
    let class = objects.first().map(|first| first.class.as_str());
    let class = class.filter(|class| objects.iter().all(|object| object.class == *class));
    match (class.map(|class| (class, word(class))), language) {
        (Some((_, Some((_, kk, ..)))), Language::Kk) => format!("{count} {kk}"),
        (Some((_, Some((_, _, [_, ru], _)))), Language::Ru) => format!("{ru}: {count}"),
        (Some((_, Some((.., [one, many])))), Language::En) => {
            format!("{count} {}", if count == 1 { one } else { many })
        }
        (Some((class, None)), Language::Ru) => format!("{class}: {count}"),
        (Some((class, None)), Language::Kk | Language::En) => format!("{count} × {class}"),
        (None, Language::Kk) => format!("{count} нысан"),
        (None, Language::Ru) => format!("объектов: {count}"),
        (None, Language::En) => format!("{count} {}", if count == 1 { "object" } else { "objects" }),
    }
}
