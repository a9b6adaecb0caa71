//! A group as large as one may be: all that is said and every receipt comes, whoever is
//! away, comes later or was thrown out.

use hushwing_conversation::village::Conduct;
use hushwing_conversation::{Command, Config, GroupSize};

use crate::rooms::{Circle, acquaintances_of};
use crate::rooms_many::bring_in;
use crate::rooms_wide::{delivered, heralds, sent};

/// How many there are in the end: by day a few, where so few are many; by night, or as
/// many as are asked for.
fn sizes() -> Vec<usize> {
    let soak = std::env::var_os("HUSHWING_SOAK");
    let asked = soak.as_ref().and_then(|asked| asked.to_str()?.parse().ok());
    match asked.filter(|count| *count > 1) {
        Some(count) => vec![count],
        None if soak.is_some() => vec![121, 200],
        None => vec![12],
    }
}

/// The last two stay out for now; one sleeps while nearly all come in.
fn crowd(count: usize) -> Circle {
    let names: Vec<String> = (0..count).map(|number| format!("N{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let small = count <= 32;
    let narrow = if small { 4 } else { 32 };
    let mut c = acquaintances_of(2_950, &names, GroupSize { narrow, most: 500 });
    if small {
        for home in c.homes.clone() {
            let few = |config: &mut Config| config.to_silent = 1;
            c.village.choose(home, few).unwrap();
        }
    }
    c.found();
    bring_in(&mut c, 1..8);
    c.village.set_asleep(c.homes[7], true);
    bring_in(&mut c, 8..count - 2);
    c.village.set_asleep(c.homes[7], false);
    // It asks for those whose greetings nobody kept for it.
    c.pass(3_600);
    c.agree(&(0..count - 2).collect::<Vec<_>>());
    c
}

/// Somebody says something; whoever is in it but these has it in time, and so does the
/// author their receipts.
fn say(c: &mut Circle, who: usize, text: &str, without: &[usize]) {
    let cost = sent(c, |c| {
        c.say(who, text);
    });
    assert!(cost <= 4, "{cost}");
    all_have(c, who, text, without, 300);
}

fn all_have(c: &mut Circle, who: usize, text: &str, without: &[usize], seconds: u64) {
    c.pass(seconds);
    let there: Vec<usize> = (0..c.rooms.len())
        .filter(|one| !without.contains(one))
        .collect();
    for one in &there {
        let last = c.texts(*one).pop();
        assert_eq!(last.as_deref(), Some(text), "{one}");
    }
    assert_eq!(delivered(c, who, text), there.len() - 1, "{text}");
}

#[test]
fn all_is_heard_and_confirmed_in_a_crowd() {
    for count in sizes() {
        let mut c = crowd(count);
        say(&mut c, count - 3, "to all", &[]);
        say(&mut c, 7, "slept well", &[]);
        heralds_sleep(&mut c);
        // An author and many others have no network.
        let away: Vec<_> = (3..c.rooms.len() / 2).map(|who| c.homes[who]).collect();
        let offline = |c: &mut Circle, off| {
            for home in &away {
                c.village.set_offline(*home, off);
            }
        };
        offline(&mut c, true);
        c.say(3, "from afar");
        c.pass(3_600);
        offline(&mut c, false);
        all_have(&mut c, 3, "from afar", &[], 600);
        // Two come in, and one goes.
        bring_in(&mut c, count - 2..count);
        say(&mut c, count - 1, "here I am", &[]);
        let (room, member) = (c.rooms[0], c.member(0, "N009").member);
        c.ask(0, Command::RemoveMember { room, member });
        c.pass(300);
        say(&mut c, 5, "without one", &[9]);
        assert!(!c.texts(9).contains(&"without one".to_owned()));
        restarts_and_drops(&mut c);
    }
}

/// All have two mailboxes, and one of two servers drops what it takes; a herald starts anew
/// while it is to serve.
fn restarts_and_drops(c: &mut Circle) {
    c.village.set_servers(2);
    c.choose(2);
    c.village.set_conduct(0, Conduct::Dropping);
    c.say(4, "by two ways");
    c.pass(5);
    for name in heralds(c, 6).iter().take(1) {
        let home = c.homes[name[1..].parse::<usize>().unwrap()];
        c.village.open_again(home).unwrap();
    }
    c.pass(3_600);
    for one in (0..c.rooms.len()).filter(|one| *one != 9) {
        assert!(c.texts(one).contains(&"by two ways".to_owned()), "{one}");
    }
}

/// One of three sleeps, then two: all others hear it meanwhile, and their receipts come at
/// the latest when they wake.
fn heralds_sleep(c: &mut Circle) {
    let named = heralds(c, 6).into_iter();
    let named: Vec<usize> = named.map(|name| name[1..].parse().unwrap()).collect();
    assert_eq!(named.len(), 3);
    for count in 1..=2 {
        let (asleep, text) = (&named[..count], format!("{count} asleep"));
        for one in asleep {
            c.village.set_asleep(c.homes[*one], true);
        }
        let cost = sent(c, |c| {
            c.say(6, &text);
        });
        assert_eq!(cost, 3);
        c.pass(400);
        for one in (0..c.rooms.len()).filter(|one| !asleep.contains(one)) {
            assert_eq!(c.texts(one).pop(), Some(text.clone()), "{one}");
        }
        for one in asleep {
            c.village.set_asleep(c.homes[*one], false);
        }
        all_have(c, 6, &text, &[], 600);
    }
}
