//! Empty lists and maps, which have only one way to be written however long their line is.

use plugboard_document::{Node, parse};

fn map(entries: &[(&str, Node)]) -> Node {
    entries.iter().map(|(key, value)| (*key, value.clone())).collect()
}

#[test]
fn an_empty_list_or_map_stays_one_behind_a_long_key_and_sixty_levels_deep() {
    let (list, no_entries) = (Node::from_iter(Vec::<Node>::new()), map(&[]));
    let key = "a-key-that-is-as-long-as-a-line-is-and-leaves-no-room-for-what-is-behind-it-whatever-that-may-be";
    let mut tree = map(&[(key, list.clone()), ("b", "next".into()), ("c", map(&[(key, no_entries.clone())]))]);
    for _ in 0..30 {
        tree = map(&[("a", Node::from_iter([tree, list.clone(), no_entries.clone()])), ("b", list.clone())]);
    }
    let written = tree.to_yaml();
    let read = parse("a.yaml", &written).unwrap();
    assert_eq!(read.to_yaml(), written);
    // Each of them is there, as what it is.
    assert_eq!(written.matches("[]").count(), 61, "{written}");
    assert_eq!(written.matches("{}").count(), 31, "{written}");
}
