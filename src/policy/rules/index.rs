//! Patterns in a tree by their segments: a path is walked once, however many patterns there are.

use std::collections::HashMap;

use crate::policy::pattern::{PathPattern, Segment};

/// The tree. Its root is the empty pattern.
#[derive(Debug)]
pub struct Index {
    nodes: Vec<Node>,
}

/// What may follow a beginning that patterns have in common. Nodes are named by their place in [`Index::nodes`].
#[derive(Debug, Default)]
struct Node {
    /// Whether this is a `**`, which takes any segment and stays.
    any_number: bool,
    /// What follows a segment that is written out: most patterns, so that it is found at once.
    literals: HashMap<String, usize>,
    /// What follows one with a `*`.
    globs: Vec<(Segment, usize)>,
    /// The `**` that follows.
    then_any_number: Option<usize>,
    /// What ends here.
    ends: Vec<usize>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl Index {
    /// Adds a pattern under a number.
    pub fn insert(&mut self, pattern: &PathPattern, number: usize) {
        let mut at = 0;
        for segment in pattern.segments() {
            at = self.follow(at, segment);
        }
        self.nodes[at].ends.push(number);
    }

    /// The node behind `segment` at the node `at`, made if there is none.
    fn follow(&mut self, at: usize, segment: &Segment) -> usize {
        let next = self.nodes.len();
        let node = &mut self.nodes[at];
        let found = match segment {
            Segment::AnyNumber => *node.then_any_number.get_or_insert(next),
            Segment::Literal(literal) => *node.literals.entry(literal.clone()).or_insert(next),
            Segment::Glob(_) => match node.globs.iter().find(|(known, _)| known == segment) {
                Some((_, known)) => *known,
                None => {
                    node.globs.push((segment.clone(), next));
                    next
                }
            },
        };
        if found == next {
            self.nodes.push(Node {
                any_number: *segment == Segment::AnyNumber,
                ..Node::default()
            });
        }
        found
    }

    /// Adds the numbers of all patterns that match the canonical `path` to `numbers`.
    pub fn find(&self, path: &str, numbers: &mut Vec<usize>) {
        // Where some pattern may stand after the segments so far. A `**` that is reached stays, so it is kept apart:
        // all other nodes have one parent and are reached by it alone, never twice.
        let (mut here, mut next) = (Vec::with_capacity(8), Vec::with_capacity(8));
        let mut staying = Vec::new();
        self.reach(0, &mut here, &mut staying);
        let path = path.strip_prefix('/').unwrap_or(path);
        for segment in path.split_terminator('/') {
            let staying_before = staying.len();
            for at in 0..here.len() + staying_before {
                let from = at
                    .checked_sub(here.len())
                    .map_or_else(|| here[at], |at| staying[at]);
                let node = &self.nodes[from];
                if let Some(&found) = node.literals.get(segment) {
                    self.reach(found, &mut next, &mut staying);
                }
                for (glob, found) in &node.globs {
                    if glob.matches(segment) {
                        self.reach(*found, &mut next, &mut staying);
                    }
                }
            }
            std::mem::swap(&mut here, &mut next);
            next.clear();
            if here.is_empty() && staying.is_empty() {
                return;
            }
        }
        for at in here.iter().chain(&staying) {
            numbers.extend(&self.nodes[*at].ends);
        }
    }

    /// Stands at a node, and at the `**` behind it, which may stand for nothing.
    fn reach(&self, at: usize, here: &mut Vec<usize>, staying: &mut Vec<usize>) {
        let mut at = Some(at);
        while let Some(node) = at {
            if !self.nodes[node].any_number {
                here.push(node);
            } else if staying.contains(&node) {
                return;
            } else {
                staying.push(node);
            }
            at = self.nodes[node].then_any_number;
        }
    }
}
