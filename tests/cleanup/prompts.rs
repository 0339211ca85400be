//! What is asked on the terminal, and what the answers do.

use crate::node::{Node, Run, shells};
use crate::running::PLANNED;
use crate::world::stale;

fn answer(shell: &str, typed: &str) -> Run {
    Node::new().run_on_terminal(shell, &["--execute"], typed)
}

#[test]
fn y_does_it_and_n_and_enter_leave_it() {
    for shell in shells() {
        let run = answer(shell, "y\nn\n\nY\n");
        assert_eq!(
            run.changes(),
            [PLANNED[0], PLANNED[4]],
            "{shell}: {}",
            run.text
        );
        assert_eq!(run.code, Some(1), "{shell}: {}", run.text);
        assert!(
            run.text.contains("pve-vm--119--disk--0: you said no"),
            "{}",
            run.text
        );
        // The parent of a partition that was left is not even asked about.
        assert!(run.text.contains("dm-22 is on top of it"), "{}", run.text);
    }
}

#[test]
fn the_question_says_what_and_why() {
    let run = answer("dash", "q\n");
    let question = "pve-vm--101--disk--0-old\r\n    a second mapping of guest 101's disk; pve-vm--101--disk--0 is kept\r\nremove it? [y/N/a/q] ";
    assert!(run.text.contains(question), "{:?}", run.text);
}

#[test]
fn a_does_all_the_rest() {
    for shell in shells() {
        let run = answer(shell, "n\na\n");
        assert_eq!(run.changes(), PLANNED[1..], "{shell}: {}", run.text);
        assert_eq!(run.code, Some(1), "{shell}: {}", run.text);
    }
}

#[test]
fn q_ends_it() {
    for shell in shells() {
        let run = answer(shell, "y\nq\ny\ny\ny\n");
        assert_eq!(run.changes(), [PLANNED[0]], "{shell}: {}", run.text);
        assert_eq!(run.code, Some(1), "{shell}: {}", run.text);
        assert!(
            run.text
                .contains("removed 1, deactivated 0, already gone 0, skipped 4, failed 0"),
            "{}",
            run.text
        );
    }
}

#[test]
fn the_end_of_the_terminal_ends_it() {
    for shell in shells() {
        let run = answer(shell, "y\n");
        assert_eq!(run.changes(), [PLANNED[0]], "{shell}: {}", run.text);
        assert_eq!(run.code, Some(1), "{shell}: {}", run.text);
        assert!(
            run.text.contains("the terminal gave no answer"),
            "{}",
            run.text
        );
    }
}

#[test]
fn ctrl_c_at_the_question_ends_it() {
    for shell in shells() {
        let run = Node::new().run_and_interrupt(shell, &["--execute"]);
        run.expect_nothing_done(1, "pve-vm--101--disk--0-old: interrupted");
        assert!(run.text.contains("skipped 5, failed 0"), "{}", run.text);
    }
}

#[test]
fn what_is_not_understood_is_asked_again() {
    for shell in shells() {
        let run = answer(shell, "yes\nx\n y y\n\\\nn\nq\n");
        assert_eq!(run.changes(), [""; 0], "{shell}: {}", run.text);
        assert_eq!(
            run.text
                .matches("y yes, n no, a yes to all the rest, q quit; Enter is no")
                .count(),
            4,
            "{}",
            run.text
        );
    }
}

#[test]
fn yes_asks_nothing_even_on_a_terminal() {
    let run = Node::new().run_on_terminal("dash", &["--execute", "--yes"], "");
    assert_eq!(run.changes(), PLANNED, "{}", run.text);
    assert!(!run.text.contains("[y/N/a/q]"), "{}", run.text);
}

#[test]
fn what_changes_while_the_person_thinks_is_seen() {
    for shell in shells() {
        let node = Node::with(vec![stale()]);
        // Before the question nothing looks at the device again.
        node.behave(
            "before-fuser",
            r#"sed 's/|254|4|0|/|254|4|1|/' "$world/dm" >"$world/dm.new"; mv "$world/dm.new" "$world/dm""#,
        );
        let run = node.run_on_terminal(shell, &["--execute"], "y\n");
        assert!(
            run.text.contains("remove it? [y/N/a/q]"),
            "{shell}: {}",
            run.text
        );
        run.expect_nothing_done(1, "open count is 1");
    }
}
