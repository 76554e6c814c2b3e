//! Data of others: each kind of fault is refused with its place, and other files are matched by name.

use damper::burn::data::dataloader::DataLoader;
use damper::data::{self, Data, DataError, Features, Missing, Scaler, Schema, Table, Targets};
use damper::prelude::*;
use damper::{Augment, Progress, TrainError};

model! {
    /// Three classes from three features.
    pub Three
    input x: [3]
    layers { head: linear(3); }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.5), epochs: 100, batch: 8, seed: 1 }
}

model! {
    /// Two classes from two features.
    pub Two
    input x: [2]
    layers { hidden: linear(8) -> relu; head: linear(2); }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.5), epochs: 100, batch: 8, seed: 1 }
}

model! {
    /// A yes or no from one feature.
    pub Yes
    input x: [1]
    layers { head: linear(1); }
    loss binary_cross_entropy
    train { optimizer: sgd(lr = 0.5), epochs: 100, batch: 8, seed: 1 }
}

model! {
    /// Numbers from two features, without a word on what they are for.
    pub Bare
    input x: [2]
    layers { a: linear(32) -> relu; }
}

model! {
    #[allow(batch_norm_tiny_batch, reason = "the test ends before the first batch, or is of two samples")]
    /// Batch norm before all else.
    pub Normed
    input x: [2]
    layers { a: linear(8, bias = false) -> batch_norm -> relu; head: linear(2); }
    loss cross_entropy
    train { optimizer: adam(lr = 1e-2), epochs: 2, batch: 2 }
}

fn csv(text: &str) -> Table {
    data::csv_from("t.csv", text.as_bytes()).unwrap()
}

fn error(read: Result<Data, DataError>) -> String {
    read.expect_err("a fault").to_string()
}

/// The error has these parts.
fn says(read: Result<Data, DataError>, parts: &[&str]) {
    let text = error(read);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

fn classes(data: &Data) -> Vec<usize> {
    match data.targets() {
        Targets::Classes { indices, .. } => indices.to_vec(),
        other => panic!("classes, not {other:?}"),
    }
}

mod quotes_and_lines {
    use super::*;

    #[test]
    fn a_quote_that_swallows_rows_is_an_error_that_names_its_line() {
        says(
            csv("x,y,kind\n1,2,a\n3,4,\"b\n5,6,a\n7,8,b\n").target("kind"),
            &["`t.csv`, line 3: ", "never closed"],
        );
        says(
            csv("x,y,kind\n1,2,a\n3,4,\"b\n5,6,a\n7,8,b\"\n9,1,a\n").target("kind"),
            &["`t.csv`, line 3, column `kind`: ", "line 5"],
        );
        says(
            csv("x,y,kind\n1,\"2\n3\",a\n").target("kind"),
            &["line 2, column `x`".replace('x', "y").as_str(), "line 3"],
        );
        says(
            csv("x,c,y\n1,\"a\nb\",2\n").categorical("c").target("y"),
            &["line 2, column `c`: "],
        );
        says(
            csv("x,\"y\n1,2\n3,4\"\n5,6\n").target(1),
            &["line 1: ", "line 3"],
        );
        says(
            csv("x,y\n1,2\n3,\"4\n5,6\",7\n").target("y"),
            &[
                "line 3: this row has 3 values",
                "in quotes from line 3 to line 4",
            ],
        );
        says(
            csv("x,y\n1,2\n3\",4\n").target("y"),
            &["line 3: ", "inside"],
        );
        says(
            csv("x,y\n1,2\n\"3\"4,5\n").target("y"),
            &["line 3: ", "text follows"],
        );
    }

    #[test]
    fn text_of_several_lines_is_read_over_where_it_is_left_out() {
        let data = csv("note,x,y\n\"a, \"\"b\"\"\nc\",1,2\n\"d\n\ne\",3,4\nf,5,6\n")
            .ignore("note")
            .target("y")
            .unwrap();
        assert_eq!(
            (data.rows(), data.row(1), data.row(2)),
            (3, Some(&[3.0][..]), Some(&[5.0][..]))
        );
        let text = "note,x,y\n\"a\nb\",1,2\n\"c\nd\",z,4\n";
        says(
            csv(text).ignore("note").target("y"),
            &["line 4, column `x`"],
        );
    }

    #[test]
    fn every_error_has_the_line_that_an_editor_shows() {
        for end in ["\n", "\r\n", "\r"] {
            for fault in 2..40 {
                for (bad, blank) in [
                    ("bad,1", false),
                    ("1", false),
                    ("1,", true),
                    ("\"1,2", true),
                ] {
                    let mut lines = vec!["x,y".to_owned()];
                    lines.extend((2..fault).map(|row| {
                        if blank && row % 7 == 3 {
                            String::new()
                        } else {
                            format!("{row},0.5")
                        }
                    }));
                    lines.push(bad.to_owned());
                    lines.push("1,2".to_owned());
                    // Only a header, and one row: nothing tells that it is one.
                    let table = csv(&(lines.join(end) + end)).header(true);
                    says(table.target("y"), &[&format!("`t.csv`, line {fault}")]);
                }
            }
            let text = ["x,y", "1,2", "\u{7f},\0"].join(end);
            let error = data::csv_from("t.csv", text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("line 3"), "{error}");
            let bytes = [["x,y", "1,2", ""].join(end).as_bytes(), &[0xff]].concat();
            let error = data::csv_from("t.csv", bytes.as_slice()).unwrap_err();
            assert!(error.to_string().contains("line 3"), "{error}");
        }
    }
}

mod headers {
    use super::*;

    #[test]
    fn a_first_row_that_may_be_either_is_asked_about() {
        for text in [
            "l.5,2,a\n3,4,b\n5,6,a\n",
            "-,2,a\n3,4,b\n5,6,a\n",
            "#N/A,2,a\n3,4,b\n5,6,a\n",
            "l.5,a\n3,b\n5,c\n",
            "x,a\n3,b\n5,a\n",
            "red,a\nblue,b\nred,a\n",
            "2019,2020,2021\n1,2,3\n4,5,6\n",
            "land,2019,2020\nCH,1,2\nDE,4,5\n",
            "0,1,2,3\n5,1,7,1\n6,2,1,5\n",
            "NA,x,y\n1,2,3\n4,5,6\n",
            "a,2\n3,4\n",
            "5,red\n",
        ] {
            let read = csv(text).categorical(0).target(1);
            assert!(
                matches!(read, Err(DataError::Header { .. })),
                "{text:?}: {read:?}"
            );
            let text_of = error(read);
            assert!(text_of.contains("`.header(true)`") && text_of.contains("`.header(false)`"));
        }
        assert_eq!(
            error(csv("l.5,2,a\n3,4,b\n5,6,a\n").target(2)),
            "`t.csv`, line 1: this line may be a header or a row of values: `l.5` in column 0 is text above numbers, like a name, \
             but `2` in column 1 is a number, like a value\n\
             note: as a header it names the columns `l.5`, `2`, `a`; as values it is the first of 3 rows\n\
             help: write `.header(true)` if it is a header, `.header(false)` if it is not"
        );
    }

    #[test]
    fn what_is_plain_is_not_asked_about() {
        let rows = |text: &str| csv(text).target(1).map(|data| data.rows());
        for (text, expected) in [
            ("1,2\n3,4\n", 2),
            ("1,2\n", 1),
            ("a,b\n1,2\n3,4\n", 2),
            (",b,c\n0,2,3\n1,4,5\n", 2),
            ("5.1,3,1.4\n4.9,3,1.4\n", 2),
            ("1999,2004\n1987,2001\n", 2),
            ("0,0,5,13,9\n0,0,0,12,13\n", 2),
            ("x1,O2\n1,2\n", 1),
        ] {
            assert_eq!(rows(text).unwrap_or_default(), expected, "{text:?}");
        }
        let iris = csv("5.1,3.5,setosa\n4.9,3.0,setosa\n6,3,virginica\n");
        assert_eq!(iris.target(2).unwrap().rows(), 3);
        let named = csv("length,species\n5.1,setosa\n4.9,virginica\n");
        assert_eq!(named.target("species").unwrap().rows(), 2);
    }
}

mod digits {
    use super::*;

    #[test]
    fn a_class_is_what_is_written() {
        let names = |text: &str| {
            let data = csv(text).classes().target(1).unwrap();
            (data.classes().to_vec(), classes(&data))
        };
        let (found, indices) = names("x,c\n1,123\n2,00123\n3,0123\n4,9\n");
        assert_eq!(found, ["9", "00123", "0123", "123"]);
        assert_eq!(indices, [3, 1, 2, 0]);
        assert_eq!(names("x,c\n1,1e5\n2,100000\n").0, ["100000", "1e5"]);
        assert_eq!(
            names("x,c\n1,1e401\n2,1e400\n3,5\n").0,
            ["5", "1e400", "1e401"]
        );
        let (found, indices) =
            names("x,c\n1,9007199254740993\n2,9007199254740992\n3,9007199254740994\n");
        assert_eq!(
            found,
            ["9007199254740992", "9007199254740993", "9007199254740994"]
        );
        assert_eq!(indices, [1, 0, 2]);
    }

    #[test]
    fn a_whole_number_to_predict_is_not_rounded_unasked() {
        says(
            csv("x,y\n1,16777216\n2,16777217\n").target("y"),
            &["line 3, column `y`: `16777217`", "16777216", "`.values()`"],
        );
        says(
            csv("x,y,z\n1,2,-16777219\n").targets(["y", "z"]),
            &["line 2, column `z`"],
        );
        says(
            csv(&format!("x,y\n1,{}\n", "1".repeat(38))).target("y"),
            &["more digits"],
        );
        assert!(csv("x,y\n1,16777216\n2,33554432\n").target("y").is_ok());
        let asked = csv("x,y\n1,16777217\n").values().target("y").unwrap();
        assert_eq!(
            asked.targets(),
            &Targets::values(vec![16_777_216.0], 1).unwrap()
        );
        let error = Data::new([[1.0], [2.0]], [-1_i64, 16_777_217]).unwrap_err();
        assert!(matches!(error, DataError::InexactInteger { .. }), "{error}");
    }

    #[test]
    fn a_whole_number_of_an_array_is_not_rounded_unasked() {
        let says = |data: Result<Data, DataError>, row: &str| {
            let error = data.unwrap_err().to_string();
            for part in ["16777217", "16777216", row, "`x as f32`"] {
                assert!(error.contains(part), "`{part}` is not in: {error}");
            }
        };
        let rows = vec![vec![1_i64, 2], vec![3, 16_777_217]];
        says(Data::new(&rows, [0, 1]), "row 1, column 1");
        says(
            Data::new([[1_u32, 2], [3, 16_777_217]], [0, 1]),
            "row 1, column 1",
        );
        says(
            Data::new((vec![1_usize, 2, 3, 16_777_217], 2), [0, 1]),
            "row 1, column 1",
        );
        says(
            Data::new([[1.0], [2.0]], vec![vec![1_u64], vec![16_777_217]]),
            "row 1, column 0",
        );
        // What an `f32` holds is as it was, and what is real is rounded as ever.
        assert!(Data::new([[16_777_218_i64], [1 << 40]], [0, 1]).is_ok());
        assert!(Data::new([[16_777_217.0_f64], [0.1]], [0, 1]).is_ok());
        let asked: Vec<Vec<f32>> = rows
            .iter()
            .map(|row| row.iter().map(|&x| x as f32).collect())
            .collect();
        assert!(Data::new(asked, [0, 1]).is_ok());
    }

    #[test]
    fn a_feature_that_numbers_its_rows_is_refused_and_a_large_one_is_not() {
        let table = |value: fn(u64) -> u64| {
            let lines: String = (0..500)
                .map(|row| format!("{},{}\n", value(row), row % 2))
                .collect();
            csv(&format!("id,y\n{lines}"))
        };
        says(
            table(|row| 1_000_000_000 + row).target("y"),
            &["column `id`: `", "`.ignore(\"id\")`"],
        );
        assert!(table(|row| 1_000_000_007 * row).target("y").is_ok());
    }
}

mod limits {
    use super::*;

    #[test]
    fn categories_that_number_the_rows_are_refused() {
        let lines: String = (0..20_000).map(|row| format!("u{row},{row}\n")).collect();
        let table = csv(&format!("id,y\n{lines}")).categorical("id");
        says(
            table.clone().target("y"),
            &[
                "column `id` has more than 1000 categories",
                "`u0`",
                "`.ignore(\"id\")`",
                "embedding",
            ],
        );
        assert_eq!(
            table
                .clone()
                .ignore("y")
                .max_categories(20_000)
                .features()
                .unwrap()
                .inputs()
                .next()
                .unwrap()
                .width(),
            20_000
        );
        says(
            table
                .max_categories(usize::MAX)
                .max_memory(1 << 20)
                .target("y"),
            &["20000 rows of 20000 features take 1.5 GiB", "(1 MiB)"],
        );
    }

    #[test]
    fn a_line_of_many_fields_is_refused() {
        let line = "1,".repeat(100_001);
        says(
            csv(&line).header(false).features(),
            &["line 1", "more than 100000 values"],
        );
        assert!(
            csv("1,2,3\n")
                .max_columns(2)
                .header(false)
                .features()
                .is_err()
        );
        assert!(
            csv("1,2,3\n")
                .max_columns(3)
                .header(false)
                .features()
                .is_ok()
        );
    }

    #[test]
    fn sequences_are_not_filled_up_beyond_memory() {
        // One step each, and one sequence of very many: filled up they are more than a machine has addresses for.
        let mut rows = vec![vec![1_u8]; 2_000_000];
        rows[0] = vec![1; 20_000_000];
        let error = Features::sequences(&rows).map(|found| found.width());
        assert!(matches!(error, Err(DataError::Limit { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.csv");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for (path, what) in [
            (pipe.as_path(), "a named pipe"),
            (folder.path(), "a folder"),
            (std::path::Path::new("/dev/zero"), "a device"),
        ] {
            let error = data::csv(path).unwrap_err();
            assert!(matches!(&error, DataError::File { .. }), "{error}");
            assert!(
                error
                    .to_string()
                    .ends_with(&format!("it is {what}, not a file"))
            );
        }
        // A file that says it has ten gigabytes, of which there are none.
        let sparse = folder.path().join("sparse.csv");
        std::fs::File::create(&sparse)
            .unwrap()
            .set_len(10 << 30)
            .unwrap();
        assert!(matches!(data::csv(&sparse), Err(DataError::Syntax { .. })));
    }
}

mod names {
    use super::*;

    fn quiet<M: Network>(training: damper::Training<M>) -> damper::Training<M> {
        training
            .progress(Progress::Silent)
            .interruptible(false)
            .device(Device::flex())
    }

    #[test]
    fn classes_of_another_file_are_those_of_training() {
        let train = format!("a,b,c,y\n{}", "1,0,0,cat\n0,1,0,dog\n0,0,1,eel\n".repeat(8));
        let train = csv(&train).target("y").unwrap();
        let test = csv("a,b,c,y\n0,1,0,dog\n0,0,1,eel\n").target("y").unwrap();
        let run = quiet(Three::training()).fit(&train, &test).unwrap();
        assert_eq!(run.valid_measures().metrics, [1.0]);
        assert_eq!(run.evaluate(&test).unwrap().metrics, [1.0]);
        let unknown = csv("a,b,c,y\n0,1,0,dog\n0,0,1,fox\n").target("y").unwrap();
        for error in [
            run.evaluate(&unknown).unwrap_err(),
            quiet(Three::training()).fit(&train, &unknown).unwrap_err(),
        ] {
            assert_eq!(
                error.to_string(),
                "`t.csv`, line 3, column `y`: the class `fox` is not one of the classes of the training data: `cat`, `dog`, `eel`"
            );
        }
        // A saved schema says the same.
        let json = serde_json::to_string(run.schema()).unwrap();
        assert_eq!(
            &serde_json::from_str::<Schema>(&json).unwrap(),
            run.schema()
        );
    }

    #[test]
    fn a_file_of_one_class_is_of_that_class() {
        let train = csv(&format!("a,y\n{}", "-1,no\n1,yes\n".repeat(8)))
            .target("y")
            .unwrap();
        let new = csv("a,y\n1,yes\n1,yes\n").target("y").unwrap();
        let run = quiet(Yes::training()).fit(&train, &train).unwrap();
        assert_eq!(run.evaluate(&new).unwrap().metrics, [1.0]);
    }

    #[test]
    fn columns_are_found_by_name() {
        let train = format!("small,large,y\n{}", "0,1,p\n1,0,q\n".repeat(8));
        let train = csv(&train).target("y").unwrap();
        let test = csv("large,y,small\n1,p,0\n0,q,1\n").target("y").unwrap();
        let run = quiet(Two::training()).fit(&train, &test).unwrap();
        assert_eq!(run.valid_measures().metrics, [1.0]);
        assert_eq!(run.evaluate(&test).unwrap().metrics, [1.0]);
        let scaler = Scaler::standard(&train).unwrap();
        let moved = scaler.apply(&test).unwrap();
        assert_eq!(moved.columns(), ["small", "large"]);
        assert_eq!(moved.row(0), Some(&[-1.0, 1.0][..]));
        let other = csv("large,y,tiny\n1,p,0\n0,q,1\n").target("y").unwrap();
        let beginning = "`t.csv`: the columns differ from those of the training data: `small` is missing, `tiny` is extra";
        for error in [
            run.evaluate(&other).unwrap_err().to_string(),
            scaler.apply(&other).unwrap_err().to_string(),
            quiet(Two::training())
                .fit(&train, &other)
                .unwrap_err()
                .to_string(),
        ] {
            assert!(error.starts_with(beginning), "{error}");
        }
        // Arrays have no names: their width tells.
        let array = Data::new([[0.0, 1.0], [1.0, 0.0]], [0, 1]).unwrap();
        assert_eq!(run.evaluate(&array).unwrap().metrics, [1.0]);
    }

    #[test]
    fn categories_are_those_of_training() {
        let read = |text: &str| csv(text).categorical("c").target("y").unwrap();
        let train = read("c,x,y\nred,1,p\ngreen,2,q\n");
        let schema = train.schema();
        let some = schema.apply(&read("x,c,y\n3,red,q\n4,red,p\n")).unwrap();
        assert_eq!(some.columns(), train.columns());
        assert_eq!(
            (some.row(0), some.row(1)),
            (Some(&[0.0, 1.0, 3.0][..]), Some(&[0.0, 1.0, 4.0][..]))
        );
        assert_eq!(classes(&some), [1, 0]);
        says(
            schema.apply(&read("c,x,y\nred,1,p\nblue,2,q\n")),
            &["line 3, column `c`: `blue` is not one of"],
        );
        says(
            schema.apply(&csv("c,x,y\n1,1,p\n2,2,q\n").target("y").unwrap()),
            &["column `c` was read as numbers, but as categories in the training data"],
        );
        // Once numbers are scaled, nothing stands for a category that is not there.
        let changed = read("x,c,y\n3,red,q\n4,red,p\n").map(|x| x + 1.0).unwrap();
        assert!(matches!(
            schema.apply(&changed),
            Err(DataError::ColumnType { .. })
        ));
    }

    #[test]
    fn a_target_of_numbers_is_not_one_of_classes() {
        let words = csv("x,y\n1,a\n2,b\n").target("y").unwrap();
        let numbers = csv("x,y\n1,0\n2,1\n").target("y").unwrap();
        says(
            words.schema().apply(&numbers),
            &["column `y` was read as numbers"],
        );
        says(
            numbers.schema().apply(&words),
            &["column `y` was read as classes"],
        );
        // Names that the program gives to numbers are theirs.
        let named = numbers.clone().with_class_names(["no", "yes"]).unwrap();
        assert_eq!(
            named.schema().apply(&numbers).unwrap().targets(),
            numbers.targets()
        );
        let several = |text: &str, order: [&str; 2]| csv(text).targets(order).unwrap();
        let schema = several("x,a,b\n1,2,3\n", ["a", "b"]).schema();
        let turned = schema
            .apply(&several("x,a,b\n1,2,3\n", ["b", "a"]))
            .unwrap();
        assert_eq!(
            turned.targets(),
            &Targets::values(vec![2.0, 3.0], 2).unwrap()
        );
    }

    #[test]
    fn a_mean_is_that_of_training() {
        let read = |text: &str| csv(text).missing(Missing::Mean).target("y");
        let train = read("a,b,y\n1,2,0\n3,,1\n").unwrap();
        let schema = train.schema();
        says(
            schema.apply(&read("a,b,y\n,2,0\n9,1,1\n").unwrap()),
            &[
                "column `a` was filled in 1 row with its own mean",
                "`.like(&train.schema())`",
            ],
        );
        assert!(
            schema
                .apply(&read("a,b,y\n7,2,0\n9,1,1\n").unwrap())
                .is_ok()
        );
        says(read("a,b,y\n,2,0\n,1,1\n"), &["column `a` has no mean"]);
        let new = csv("b,a\n,\n5,\n").like(&schema).features().unwrap();
        assert_eq!(
            (new.row(0), new.row(1)),
            (Some(&[2.0, 2.0][..]), Some(&[2.0, 5.0][..]))
        );
        let plain = csv("a,y\n1,0\n2,1\n").target("y").unwrap().schema();
        says(
            csv("a,y\n,0\n")
                .like(&plain)
                .missing(Missing::Mean)
                .target("y"),
            &["column `a` has no mean", "training data"],
        );
    }

    #[test]
    fn a_file_is_read_like_another() {
        let train = csv("id;c;x;y\nu1;red;1;p\nu2;green;2;q\n")
            .delimiter(';')
            .ignore("id")
            .categorical("c")
            .target("y")
            .unwrap();
        let schema = train.schema();
        let new = csv("y;x;c\nq;5;green\nq;6;green\n")
            .like(&schema)
            .target("y")
            .unwrap();
        assert_eq!(
            (new.row(0), classes(&new)),
            (Some(&[1.0, 0.0, 5.0][..]), vec![1, 1])
        );
        assert_eq!(
            csv("x;c\n5;green\n")
                .like(&schema)
                .features()
                .unwrap()
                .row(0),
            new.row(0)
        );
        assert_eq!(
            csv("x;c;y;id\n5;green;q;u9\n")
                .like(&schema)
                .features()
                .unwrap()
                .row(0),
            new.row(0)
        );
        says(
            csv("x;y\n5;p\n").like(&schema).target("y"),
            &["`c` is missing"],
        );
        says(
            csv("x;c;z\n5;red;1\n").like(&schema).features(),
            &["`z` is extra"],
        );
        assert!(
            csv("x;c;z\n5;red;1\n")
                .like(&schema)
                .ignore("z")
                .features()
                .is_ok()
        );
        says(
            csv("x;c\n5;blue\n").like(&schema).features(),
            &["line 2, column `c`: `blue`"],
        );
        says(
            csv("x;c;y\n5;red;r\n").like(&schema).target("y"),
            &["the class `r`"],
        );
    }
}

mod messages {
    use super::*;

    fn spec<C: NetworkConfig>() -> damper::Spec {
        C::default().spec().unwrap()
    }

    #[test]
    fn three_classes_on_one_unit_are_not_advised_three_units() {
        let data = csv("a,y\n1,no\n3,yes\n5,maybe\n").target("y").unwrap();
        let text = data
            .check_for(&spec::<YesConfig>())
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "`t.csv`, line 3, column `y`: label 2 (`yes`) is out of range: `Yes` has 2 classes, so labels go from 0 to 1\n\
             help: `binary_cross_entropy` with one unit has two classes: for 3 classes write `loss cross_entropy` and \
             give the last layer 3 units, or keep only two classes in the target"
        );
    }

    #[test]
    fn a_model_without_a_loss_is_said_to_have_none() {
        let x = [[0.0, 1.0], [1.0, 0.0]];
        for data in [
            Data::new(x, [0.0, 1.0]),
            Data::new(x, ["a", "b"]),
            Data::new(x, [0, 1]),
            Data::new(x, ()),
        ] {
            let error = data.unwrap().check_for(&spec::<BareConfig>()).unwrap_err();
            assert!(matches!(error, DataError::NoLoss { .. }), "{error}");
        }
    }

    #[test]
    fn huge_class_indices_are_refused_like_others() {
        for class in [2, 5, 1_000_000, 1 << 40, u64::MAX - 1, u64::MAX] {
            let data = Data::new([[0.5, 1.0], [-1.0, 0.25]], [class, 0]).unwrap();
            assert!(data.to_string().contains("classes"));
            let text = data
                .check_for(&spec::<TwoConfig>())
                .unwrap_err()
                .to_string();
            assert!(
                text.contains(&format!("label {class} is out of range")),
                "{text}"
            );
            assert_eq!(
                text.contains("give the last layer"),
                class < 100_000,
                "{text}"
            );
            assert!(!text.contains(" 0 units"), "{text}");
            assert!(data.split(0.5, 1).is_ok());
            assert!(data.with_class_names(["a", "b"]).is_err());
        }
    }

    #[test]
    fn numbers_whose_squares_are_none_are_refused_before_training() {
        let good = Data::new([[0.5, 1.0], [-1.0, 0.25]], [1, 0]).unwrap();
        let far = csv("a,b,y\n1,2,p\n3,-1e30,q\n").target("y").unwrap();
        let fit = |train: &Data, valid: &Data| {
            Normed::training()
                .progress(Progress::Silent)
                .fit(train, valid)
                .map(|_| ())
        };
        for error in [fit(&far, &far), fit(&good, &far)] {
            let text = error.unwrap_err().to_string();
            assert!(
                text.starts_with("`t.csv`, line 3, column `b`: -1e30 is too large to train on"),
                "{text}"
            );
        }
        assert!(fit(&good, &good).is_ok());
    }
}

mod numbers {
    use super::*;

    const SIZES: [usize; 6] = [0, 1, 2, 3, 1 << 40, usize::MAX];
    const REALS: [f64; 9] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1e300,
        f64::NAN,
        f64::INFINITY,
        f64::MIN_POSITIVE,
    ];

    #[test]
    fn every_size_and_number_is_taken_or_refused() {
        let data = Data::new([[0.5, 1.0], [-1.0, 0.25], [3.0, 4.0]], [1, 0, 1]).unwrap();
        let scaler = Scaler::min_max(&data).unwrap();
        for size in SIZES {
            let _ = data.k_fold(size, size as u64);
            let _ = data.select(&[size]);
            let _ = data.select(&vec![0; size.min(5)]);
            let _ = (data.row(size), data.split(0.5, size as u64));
            for values in [vec![], vec![1.0_f32], vec![1.0, 2.0], vec![f32::NAN; 3]] {
                let _ = Data::new((values.clone(), size), ());
                let _ = Features::flat(values.clone(), size);
                let _ = Targets::values(values.clone(), size);
                let _ = scaler.apply_row(&values);
                let hand = Targets::Values {
                    values: values.clone().into(),
                    width: size,
                };
                let _ = hand.rows();
                if let Ok(data) = Data::new([[1.0]], hand) {
                    let _ = data.check_for(&YesConfig::default().spec().unwrap());
                }
            }
            let named = Targets::Classes {
                indices: vec![0, size, 1].into(),
                names: vec!["a".to_owned(), "b".to_owned()].into(),
            };
            assert_eq!(Data::new([[1.0], [2.0], [3.0]], named).is_ok(), size < 2);
            let prepared = data
                .check_for(&TwoConfig::default().spec().unwrap())
                .unwrap();
            let loader = prepared
                .loader(size, &Device::flex())
                .starting_at(size as u64)
                .shuffled(u64::MAX);
            assert_eq!(
                loader
                    .iter()
                    .map(|batch| batch.unwrap().inputs.batch())
                    .sum::<usize>(),
                3
            );
            for other in SIZES {
                assert!(loader.slice(size, other).num_items() <= 3);
            }
            let table = csv("1,2,a\n3,4,b\n").header(false);
            let _ = table.clone().target(size);
            let _ = table.clone().ignore(size).target(2);
            let _ = table.clone().categorical(size).target(2);
            let _ = table.clone().targets([0, size]);
            let _ = table
                .max_columns(size)
                .max_categories(size)
                .max_memory(size)
                .target(2);
        }
        assert!(matches!(
            Data::new(
                [[1.0]],
                Targets::Values {
                    values: vec![1.0].into(),
                    width: 0
                }
            ),
            Err(DataError::Setting { .. })
        ));
        for x in REALS {
            assert_eq!(
                data.split(x, 1).is_ok(),
                x == 0.5 || x == f64::MIN_POSITIVE,
                "{x}"
            );
            let row = scaler.apply_row(&[x as f32, 0.0]);
            assert_eq!(row.is_ok(), (x as f32).is_finite(), "{x}");
            let filled = csv("x,y\n,1\n2,2\n")
                .missing(Missing::Value(x as f32))
                .target("y");
            assert_eq!(filled.is_ok(), (x as f32).is_finite(), "{x}");
            let _ = data.clone().map(|y| y * x as f32);
        }
        assert!(matches!(
            scaler.apply_row(&[f32::NAN, 0.0]),
            Err(DataError::NotFinite { .. })
        ));
    }

    #[test]
    fn settings_of_a_table_that_cannot_be_are_refused() {
        let table = || csv("x,y\na,1\nb,2\n");
        for read in [
            table().categories("x", ["a", "b", "a"]).target("y"),
            table().categories("x", [""; 0]).target("y"),
            table().delimiter('"').target(0),
            table().delimiter('\n').target(0),
        ] {
            assert!(matches!(read, Err(DataError::Setting { .. })), "{read:?}");
        }
        let x = [[1.0], [2.0]];
        for (data, expected) in [
            (
                Data::new(x, [0, 2]),
                "row 1 (counted from 0): class 2 has no name: there are names for 2 classes only\n\
                 help: give one name for each class, in the order of their indices",
            ),
            (
                Data::new(x, [0.0, 0.5]),
                "row 1 (counted from 0): target 0.5 is not a class index, but `.with_class_names(..)` needs one\n\
                 help: for a target of real numbers write `loss mse`",
            ),
            (
                Data::new(x, ()),
                "`.with_class_names(..)`: the data has no target\n\
                 help: name the classes of data with one class index for each row",
            ),
            (
                Data::new(x, [[0.0, 1.0], [1.0, 0.0]]),
                "`.with_class_names(..)`: each row has 2 targets\n\
                 help: name the classes of data with one class index for each row",
            ),
        ] {
            assert_eq!(error(data.unwrap().with_class_names(["a", "b"])), expected);
        }
        let arrow = csv("x→y\n1→2\n").delimiter('→').target("y").unwrap();
        assert_eq!(arrow.row(0), Some(&[1.0][..]));
        let twice = Data::new([[1.0], [2.0]], [0, 1]).unwrap();
        assert!(twice.clone().with_class_names(["a", "a"]).is_err());
        let twice = twice.with_input("a", [[1.0], [2.0]]).unwrap();
        assert!(twice.with_input("a", [[1.0], [2.0]]).is_err());
    }

    #[test]
    fn every_number_of_augment_is_taken_or_refused() {
        let images = || Tensor::<4>::ones([2, 1, 4, 6], &Device::flex());
        for size in SIZES {
            let is_ok = size < 4;
            assert_eq!(
                Augment::new().shift(size).apply(images(), 1).is_ok(),
                is_ok,
                "{size}"
            );
            assert_eq!(
                Augment::new().crop(size).apply(images(), 1).is_ok(),
                is_ok,
                "{size}"
            );
        }
        for x in REALS {
            let varied = Augment::new().erase(x).apply(images(), 1);
            assert_eq!(varied.is_ok(), (0.0..=1.0).contains(&x), "{x}");
        }
        let data = Data::new([[0.5, 1.0], [-1.0, 0.25]], [1, 0]).unwrap();
        for augment in [
            Augment::new().crop(usize::MAX),
            Augment::new().shift(usize::MAX),
        ] {
            let error = Two::training()
                .augment(augment)
                .fit(&data, &data)
                .unwrap_err();
            assert!(matches!(error, TrainError::Setting { .. }), "{error}");
        }
    }
}

mod mutations {
    use super::*;

    /// A generator of Knuth's: the same texts on every machine.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % n
        }
    }

    #[test]
    fn a_changed_text_is_read_as_it_stands_or_refused() {
        let mut random = Random(42);
        let pieces = [
            "\"", "\n", "\r", "\r\n", ",", ";", " ", "NA", "-", ".", "1e9", "1e999", "\u{feff}",
            "é", "\"\"", "\0",
        ];
        let (mut read, mut refused) = (0, 0);
        for round in 0..6000 {
            let end = ["\n", "\r\n", "\r"][round % 3];
            let rows: Vec<(f32, f32, &str)> = (0..6)
                .map(|_| {
                    (
                        random.below(99) as f32,
                        random.below(9) as f32 / 4.0,
                        ["a", "b"][random.below(2)],
                    )
                })
                .collect();
            let lines = rows
                .iter()
                .map(|(x, y, kind)| format!("{x},{y},\"{kind}\""));
            let lines: Vec<String> = std::iter::once("x,y,kind".to_owned())
                .chain(lines)
                .collect();
            let mut text = lines.join(end) + end;
            for _ in 0..=random.below(3) {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let at = places[random.below(places.len())];
                match random.below(3) {
                    0 => {
                        text.remove(at);
                    }
                    1 => text.insert_str(at, pieces[random.below(pieces.len())]),
                    _ => text.truncate(at),
                }
                if text.is_empty() {
                    break;
                }
            }
            let Ok(table) = data::csv_from("t.csv", text.as_bytes()) else {
                refused += 1;
                continue;
            };
            let policy = [
                Missing::Error,
                Missing::DropRow,
                Missing::Mean,
                Missing::Zero,
            ][round % 4];
            match table.header(true).missing(policy).target(2) {
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
                Ok(data) => {
                    read += 1;
                    // No row is swallowed: each line that is not empty is the header, or a row, or was left out.
                    let text = text
                        .trim_start_matches('\u{feff}')
                        .replace("\r\n", "\n")
                        .replace('\r', "\n");
                    let lines: Vec<&str> =
                        text.split('\n').filter(|line| !line.is_empty()).collect();
                    assert_eq!(data.rows() + data.dropped() + 1, lines.len(), "{text:?}");
                    // What was not touched is read as it was written.
                    if data.dropped() == 0 {
                        for (row, line) in lines[1..].iter().enumerate() {
                            let same = rows
                                .iter()
                                .find(|(x, y, kind)| *line == format!("{x},{y},\"{kind}\""));
                            if let Some((x, y, _)) = same {
                                assert_eq!(data.row(row), Some(&[*x, *y][..]), "{text:?}");
                            }
                        }
                    }
                }
            }
        }
        assert!(read > 500 && refused > 500, "{read} {refused}");
    }
}

#[cfg(feature = "images")]
mod pictures {
    use super::*;
    use std::path::Path;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, content) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    fn read(folder: &Path) -> Result<Data, DataError> {
        data::images(folder)?.read()
    }

    const BASELINE: &[u8] = include_bytes!("pictures/baseline.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("pictures/progressive.jpg");

    #[test]
    fn no_part_of_a_jpeg_is_read_as_the_whole() {
        for whole in [BASELINE, PROGRESSIVE] {
            let folder = folder(&[("a/1.jpg", whole), ("b/1.jpg", whole)]);
            let expected = read(folder.path()).unwrap();
            for length in 0..whole.len() {
                std::fs::write(folder.path().join("a/1.jpg"), &whole[..length]).unwrap();
                match read(folder.path()) {
                    Err(error) => assert!(matches!(error, DataError::Image { .. }), "{error}"),
                    Ok(data) => assert_eq!(data.row(0), expected.row(0), "{length}"),
                }
            }
        }
    }

    #[test]
    fn a_jpeg_is_refused_where_its_decoder_sees_that_it_is_damaged() {
        {
            let whole = BASELINE;
            let folder = folder(&[("a/1.jpg", whole), ("b/1.jpg", whole)]);
            let (mut refused, mut tried) = (0, 0);
            // A piece in the middle is gone; the end is there.
            for length in (10..whole.len() / 2).step_by(7) {
                let start = whole.len() - 20 - length;
                let damaged = [&whole[..start], &whole[whole.len() - 20..]].concat();
                std::fs::write(folder.path().join("a/1.jpg"), damaged).unwrap();
                tried += 1;
                match read(folder.path()) {
                    Err(error) => {
                        refused += 1;
                        assert!(matches!(error, DataError::Image { .. }), "{error}");
                    }
                    // JPEG has no checksum: what is left may be an image by itself.
                    Ok(data) => assert_eq!(data.rows(), 2),
                }
            }
            assert!(refused > 0, "none of {tried} refused");
        }
    }

    /// The beginning of a PNG file of this size, without what would fill it.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn more_pixels_or_memory_than_allowed_are_refused() {
        for (width, height) in [(20_000, 20_000), (500_000_000, 1), (u32::MAX, u32::MAX)] {
            let folder = folder(&[("a/1.png", &png(width, height)), ("b/1.jpg", BASELINE)]);
            for images in [
                data::images(folder.path()).unwrap(),
                data::images(folder.path()).unwrap().resize(8, 8),
            ] {
                let error = images.read().unwrap_err();
                assert!(matches!(error, DataError::Limit { .. }), "{error}");
                assert!(error.to_string().contains("`.max_pixels(n)`"), "{error}");
            }
        }
        let folder = folder(&[("a/1.jpg", BASELINE), ("b/1.jpg", PROGRESSIVE)]);
        let images = || data::images(folder.path()).unwrap();
        for images in [
            images().max_pixels(10),
            images().max_memory(1000),
            images().resize(64, 64).max_memory(1000),
            images().resize(usize::MAX, 1),
            images().resize(50_000_000, 1),
        ] {
            assert!(matches!(images.read(), Err(DataError::Limit { .. })));
        }
        assert!(matches!(
            images().resize(0, 8).read(),
            Err(DataError::Setting { .. })
        ));
        assert!(
            images()
                .max_pixels(24 * 17)
                .max_memory(2 * 3 * 4 * 24 * 17)
                .read()
                .is_ok()
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = folder(&[("a/1.jpg", BASELINE), ("b/1.jpg", BASELINE)]);
        let pipe = folder.path().join("a/0.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        says(
            read(folder.path()),
            &["a/0.png`: it is a named pipe, not a file"],
        );
        std::fs::remove_file(&pipe).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
        says(read(folder.path()), &["it is a device, not a file"]);
        std::fs::remove_file(&pipe).unwrap();
        std::fs::create_dir(&pipe).unwrap();
        says(read(folder.path()), &["it is a folder, not a file"]);
        std::fs::remove_dir(&pipe).unwrap();
        std::fs::File::create(&pipe)
            .unwrap()
            .set_len(10 << 30)
            .unwrap();
        says(read(folder.path()), &["neither PNG nor JPEG"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn classes_whose_names_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStrExt;
        let folder = folder(&[("a/1.jpg", BASELINE)]);
        let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff"));
        std::fs::create_dir(&odd).unwrap();
        std::fs::write(odd.join("1.jpg"), BASELINE).unwrap();
        says(read(folder.path()), &["not UTF-8"]);
    }

    #[test]
    fn classes_of_another_folder_are_those_of_training() {
        let train = folder(&[
            ("a/1.jpg", BASELINE),
            ("b/1.jpg", BASELINE),
            ("c/1.jpg", BASELINE),
        ]);
        let test = folder(&[("b/1.jpg", BASELINE), ("c/1.jpg", BASELINE)]);
        let schema = read(train.path()).unwrap().schema();
        assert_eq!(
            classes(&schema.apply(&read(test.path()).unwrap()).unwrap()),
            [1, 2]
        );
    }
}
