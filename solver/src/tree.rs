//! Trees of codes, with ancestor tests in constant time.

use std::collections::BTreeMap;

/// A forest of codes. Nodes are numbered in the order of the problem.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    index: BTreeMap<String, usize>,
    children: Vec<Vec<usize>>,
    parent: Vec<Option<usize>>,
    /// First and last number of the subtree in depth-first order.
    span: Vec<(usize, usize)>,
}

/// What is wrong with one node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TreeFault {
    /// Its code stands earlier.
    Duplicate,
    /// Its parent does not exist.
    UnknownParent,
    /// It is its own ancestor.
    Cycle,
}

impl Tree {
    /// Builds the forest, or tells every faulty node. O(n log n).
    pub(crate) fn new(nodes: &[(&str, Option<&str>)]) -> Result<Self, Vec<(usize, TreeFault)>> {
        let mut faults = Vec::new();
        let mut index = BTreeMap::new();
        for (i, (id, _)) in nodes.iter().enumerate() {
            if index.contains_key(*id) {
                faults.push((i, TreeFault::Duplicate));
            } else {
                index.insert((*id).to_owned(), i);
            }
        }
        let mut children = vec![Vec::new(); nodes.len()];
        let mut above = vec![None; nodes.len()];
        let mut roots = Vec::new();
        for (i, (_, parent)) in nodes.iter().enumerate() {
            match parent.map(|id| index.get(id)) {
                None => roots.push(i),
                Some(Some(&p)) => {
                    children[p].push(i);
                    above[i] = Some(p);
                }
                Some(None) => {
                    faults.push((i, TreeFault::UnknownParent));
                    roots.push(i);
                }
            }
        }
        let span = number(&children, &roots);
        faults.extend(span.iter().enumerate().filter(|(_, s)| s.is_none()).map(|(i, _)| (i, TreeFault::Cycle)));
        if faults.is_empty() {
            Ok(Self { index, children, parent: above, span: span.into_iter().flatten().collect() })
        } else {
            Err(faults)
        }
    }

    /// The node of a code.
    pub(crate) fn get(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The place of a node in depth-first order.
    pub(crate) fn order(&self, node: usize) -> usize {
        self.span[node].0
    }

    /// First and last place of a node and of those below it, in depth-first order.
    pub(crate) fn span(&self, node: usize) -> (usize, usize) {
        self.span[node]
    }

    /// The places, in depth-first order, of the nodes strictly above a node.
    pub(crate) fn above(&self, node: usize) -> Vec<usize> {
        std::iter::successors(self.parent[node], |&up| self.parent[up]).map(|up| self.order(up)).collect()
    }

    /// Whether `node` is `top` or below it.
    pub(crate) fn within(&self, node: usize, top: usize) -> bool {
        let (first, last) = self.span[top];
        (first..=last).contains(&self.span[node].0)
    }

    /// Whether one is the other, or above it.
    pub(crate) fn related(&self, a: usize, b: usize) -> bool {
        self.within(a, b) || self.within(b, a)
    }

    /// The nodes without children at or below `top`, in depth-first order.
    pub(crate) fn leaves(&self, top: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut stack = vec![top];
        while let Some(node) = stack.pop() {
            if self.children[node].is_empty() {
                found.push(node);
            }
            stack.extend(self.children[node].iter().rev());
        }
        found
    }
}

/// Depth-first numbers of the nodes below the roots; nodes on a cycle have none.
fn number(children: &[Vec<usize>], roots: &[usize]) -> Vec<Option<(usize, usize)>> {
    let mut span = vec![None; children.len()];
    let mut next = 0;
    for &root in roots {
        let mut stack = vec![(root, false)];
        while let Some((node, done)) = stack.pop() {
            if done {
                if let Some((first, _)) = span[node] {
                    span[node] = Some((first, next - 1));
                }
                continue;
            }
            span[node] = Some((next, next));
            next += 1;
            stack.push((node, true));
            stack.extend(children[node].iter().rev().map(|&child| (child, false)));
        }
    }
    span
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn descendants_are_within_and_siblings_are_not() {
        let tree =
            Tree::new(&[("a", None), ("b", Some("a")), ("c", Some("a")), ("d", Some("b")), ("e", None)]).unwrap();
        let id = |code| tree.get(code).unwrap();
        assert!(tree.within(id("d"), id("a")) && tree.within(id("d"), id("b")) && tree.within(id("d"), id("d")));
        assert!(!tree.within(id("a"), id("d")) && tree.related(id("a"), id("d")));
        assert!(!tree.related(id("c"), id("d")) && !tree.related(id("e"), id("a")));
        assert_eq!(tree.leaves(id("a")), [id("d"), id("c")]);
        assert_eq!(tree.above(id("d")), [tree.order(id("b")), tree.order(id("a"))]);
        assert_eq!((tree.order(id("a")), tree.span(id("b")), tree.span(id("e"))), (0, (1, 2), (4, 4)));
    }

    #[test]
    fn every_fault_is_told_with_its_node() {
        let faults =
            Tree::new(&[("a", Some("b")), ("b", Some("a")), ("c", Some("nowhere")), ("c", None), ("d", Some("d"))])
                .unwrap_err();
        assert_eq!(
            faults,
            [
                (3, TreeFault::Duplicate),
                (2, TreeFault::UnknownParent),
                (0, TreeFault::Cycle),
                (1, TreeFault::Cycle),
                (4, TreeFault::Cycle)
            ]
        );
    }
}
