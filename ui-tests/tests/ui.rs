//! Wrong declarations: rustc's words for each are in the `.stderr` beside it.

#[test]
#[rustversion::attr(
    not(stable(1.95)),
    ignore = "the expected texts are those of rustc 1.95"
)]
fn mistakes_are_reported_where_they_stand() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}
