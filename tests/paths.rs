//! See `main.rs`.

/// Odd paths by the thousand.
mod corpus;
/// What is judged public is nothing protected to nginx and Tomcat.
mod differential;
/// The page of test vectors, read.
mod page;
/// What Tomcat and the products make of a target.
mod tomcat;
/// The page of test vectors, asked.
mod vectors;
