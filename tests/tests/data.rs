//! Data: what is read, what is refused and with which words, how it is split, scaled and loaded.

use damper::burn::data::dataloader::DataLoader;
use damper::burn::data::dataset::InMemDataset;
use damper::data::{self, Data, DataError, Missing, Prepared, Scaler, Targets, standardize};
use damper::prelude::*;
use damper::{Batch, InputTensor, Target};
use std::collections::BTreeSet;
use std::io::Write;

model! {
    /// Three classes from two features.
    pub Three
    input x: [2]
    layers { head: linear(3); }
    loss cross_entropy
}

model! {
    /// A yes or no from two features.
    pub YesNo
    input x: [2]
    layers { head: linear(1); }
    loss binary_cross_entropy
}

model! {
    /// A number in [-1, 1] from one feature.
    pub Line
    input x: [1]
    layers { head: linear(1); }
    loss mse target in [-1.0, 1.0]
}

model! {
    /// Two inputs.
    pub Pair
    input { user: [2], item: [1] }
    layers { both: concat(user, item) -> linear(1); }
    loss mse
}

model! {
    /// Three classes of 2x3 pixels.
    pub Pixels
    input image: [1, 2, 3]
    layers { head: flatten -> linear(3); }
    loss cross_entropy
}

model! {
    /// One of four classes at each of three steps.
    pub Tagger
    input steps: [3, 2]
    layers { head: linear(4); }
    loss cross_entropy
}

model! {
    /// A yes or no for each pixel.
    pub Mask
    input image: [1, 2, 3]
    layers { head: conv2d(1, kernel = 1); }
    loss binary_cross_entropy
}

model! {
    /// Two classes of sequences of up to four words out of eight.
    pub Words
    input tokens: [4] of int(vocab = 9, pad = 0)
    layers {
        embed: embedding(9, 4) -> mean(axis = time);
        head:  linear(2);
    }
    loss cross_entropy
}

model! {
    /// The same without a word on the vocabulary.
    pub Bare
    input tokens: [3] of int
    layers {
        embed: embedding(6, 4) -> mean(axis = time);
        head:  linear(2);
    }
    loss cross_entropy
}

/// A CSV file that is deleted at the end of the test.
fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn table(file: &tempfile::NamedTempFile) -> data::Table {
    data::csv(file.path()).unwrap()
}

/// The error's text, with the file's name in place of its random path.
fn text(error: &DataError, file: &tempfile::NamedTempFile) -> String {
    error
        .to_string()
        .replace(&file.path().display().to_string(), "t.csv")
}

fn spec<C: NetworkConfig>() -> damper::Spec {
    C::default().spec().unwrap()
}

fn floats(batch: &Batch) -> Vec<f32> {
    match &batch.inputs.0[0] {
        InputTensor::Float(tensor, _) => tensor.clone().into_data().try_to_vec().unwrap(),
        InputTensor::Int(..) => panic!("an input of real numbers"),
    }
}

fn classes(batch: &Batch) -> Vec<i64> {
    match &batch.target {
        Target::Classes(classes) => classes
            .clone()
            .into_data()
            .convert::<i64>()
            .try_to_vec()
            .unwrap(),
        Target::Values(_) => panic!("a target of classes"),
    }
}

mod arrays {
    use super::*;

    #[test]
    fn every_kind_of_array_is_taken() {
        let rows = vec![vec![1.0_f32, 2.0], vec![3.0, 4.0]];
        let expected = Data::new(rows, vec![0, 1]).unwrap();
        assert_eq!(
            Data::new([[1.0_f64, 2.0], [3.0, 4.0]], [0_u8, 1]).unwrap(),
            expected
        );
        assert_eq!(
            Data::new(vec![[1, 2], [3, 4]], [0_usize, 1]).unwrap(),
            expected
        );
        assert_eq!(
            Data::new((vec![1.0_f32, 2.0, 3.0, 4.0], 2), vec![false, true]).unwrap(),
            expected
        );
        assert_eq!(
            Data::new(&[[1.0_f32, 2.0], [3.0, 4.0]][..], [0_i64, 1]).unwrap(),
            expected
        );
    }

    #[test]
    fn the_kind_of_the_targets_says_what_they_are() {
        let targets = |data: Result<Data, DataError>| data.unwrap().targets().clone();
        let x = [[0.0], [1.0]];
        assert_eq!(targets(Data::new(x, [1, 0])), Targets::classes(vec![1, 0]));
        assert_eq!(
            targets(Data::new(x, [1.0, 0.5])),
            Targets::values(vec![1.0, 0.5], 1).unwrap()
        );
        assert_eq!(
            targets(Data::new(x, [-1, 1])),
            Targets::values(vec![-1.0, 1.0], 1).unwrap()
        );
        assert_eq!(
            targets(Data::new(x, [[1.0, 2.0], [3.0, 4.0]])),
            Targets::values(vec![1.0, 2.0, 3.0, 4.0], 2).unwrap()
        );
        assert_eq!(
            targets(Data::new(x, ["dog", "cat"])),
            Targets::named(&["dog", "cat"])
        );
        assert_eq!(targets(Data::new(x, ())), Targets::None);
    }

    #[test]
    fn a_burn_dataset_is_read_through_a_closure() {
        let dataset = InMemDataset::new(vec![(1.0_f32, 0), (2.0, 1)]);
        let data = Data::from_dataset(&dataset, |(x, class)| ([x, x * x], class)).unwrap();
        assert_eq!(data, Data::new([[1.0, 1.0], [2.0, 4.0]], [0, 1]).unwrap());
    }

    #[test]
    fn bad_arrays_are_refused() {
        let error = |data: Result<Data, DataError>| data.unwrap_err().to_string();
        let cases = [
            (
                error(Data::new(Vec::<[f32; 2]>::new(), Vec::<usize>::new())),
                "the data has no rows",
            ),
            (
                error(Data::new(vec![Vec::<f32>::new()], [0])),
                "the data has no feature columns",
            ),
            (
                error(Data::new(vec![vec![1.0], vec![1.0, 2.0]], [0, 1])),
                "row 1 (counted from 0): this row has 2 values, but the rows before it have 1",
            ),
            (
                error(Data::new([[1.0, f32::NAN]], [0])),
                "row 0, column 1 (counted from 0): `NaN` is not a finite number\n\
                 note: one such value makes every weight NaN after one step",
            ),
            (
                error(Data::new([[1.0], [1e300]], [0, 1])),
                "row 1, column 0 (counted from 0): `inf` is not a finite number\n\
                 note: one such value makes every weight NaN after one step",
            ),
            (
                error(Data::new([[1.0], [2.0]], [0])),
                "the target has 1 row, but the features have 2 rows",
            ),
            (
                error(Data::new((vec![1.0, 2.0, 3.0], 2), [0])),
                "3 values cannot be divided into rows of 2",
            ),
            (
                error(
                    Data::new([[1.0]], [0.5])
                        .and_then(|data| data.with_input("item", [[1.0], [2.0]])),
                ),
                "input `item` has 2 rows, but the features have 1 row",
            ),
            (
                error(Data::new([[1.0]], [0]).and_then(|data| data.select(&[1]))),
                "row 1 is out of range: the data has 1 row, counted from 0",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}

mod tables {
    use super::*;

    #[test]
    fn columns_of_numbers_become_features_and_the_target_is_named() {
        let file = file("length,width,species\n1.5,2,setosa\n3,4,virginica\n5,6,setosa\n");
        let data = table(&file).target("species").unwrap();
        assert_eq!(data.columns(), ["length", "width"]);
        assert_eq!(data.row(1), Some(&[3.0, 4.0][..]));
        assert_eq!(data.classes(), ["setosa", "virginica"]);
        assert_eq!(data.to_string(), "3 rows: 2 features, 2 classes");
        assert_eq!(table(&file).target(2).unwrap(), data);
    }

    #[test]
    fn the_header_is_found_or_said() {
        assert_eq!(table(&file("1,2\n3,4\n")).target(1).unwrap().rows(), 2);
        let years = file("2020,2021\n3,4\n");
        assert_eq!(
            table(&years).header(true).target("2021").unwrap().columns(),
            ["2020"]
        );
        assert_eq!(table(&years).header(false).target(1).unwrap().rows(), 2);
    }

    #[test]
    fn text_columns_are_one_hot_in_alphabetical_order() {
        let file = file("city;size;price\nRome;1;10\nBern;2;20\nRome;3;30\n");
        let data = table(&file)
            .delimiter(';')
            .categorical("city")
            .target("price")
            .unwrap();
        assert_eq!(data.columns(), ["city=Bern", "city=Rome", "size"]);
        assert_eq!(data.row(1), Some(&[1.0, 0.0, 2.0][..]));
        let declared = table(&file)
            .delimiter(';')
            .categories("city", ["Rome", "Bern", "Oslo"])
            .target("price")
            .unwrap();
        assert_eq!(declared.row(1), Some(&[0.0, 1.0, 0.0, 2.0][..]));
    }

    #[test]
    fn numbers_as_target_are_numbers_or_classes() {
        let file = file("x,rating\n1,7\n2,3\n3,10\n4,3\n");
        assert_eq!(
            table(&file).target("rating").unwrap().targets(),
            &Targets::values(vec![7.0, 3.0, 10.0, 3.0], 1).unwrap()
        );
        let classes = table(&file).classes().target("rating").unwrap();
        assert_eq!(
            classes.classes(),
            ["3", "7", "10"],
            "in the order of the numbers"
        );
        let Targets::Classes { indices, .. } = classes.targets() else {
            panic!("classes")
        };
        assert_eq!(**indices, [1, 0, 2, 0]);
    }

    #[test]
    fn missing_values_follow_the_policy() {
        let file = file("a,b,y\n1,10,0\n,20,1\n5,NA,1\n");
        let read = |policy| table(&file).missing(policy).target("y").unwrap();
        let rows = |data: &Data| {
            (0..data.rows())
                .map(|row| data.row(row).unwrap().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(&read(Missing::DropRow)), [[1.0, 10.0]]);
        assert_eq!(read(Missing::DropRow).dropped(), 2);
        assert_eq!(
            rows(&read(Missing::Mean)),
            [[1.0, 10.0], [3.0, 20.0], [5.0, 15.0]]
        );
        assert_eq!(
            rows(&read(Missing::Zero)),
            [[1.0, 10.0], [0.0, 20.0], [5.0, 0.0]]
        );
        assert_eq!(
            rows(&read(Missing::Value(-1.0))),
            [[1.0, 10.0], [-1.0, 20.0], [5.0, -1.0]]
        );
    }

    #[test]
    fn quotes_spaces_and_a_byte_order_mark_are_read() {
        let file = file("\u{feff}\"a, b\", y\r\n 1.5 ,\"2\"\r\n");
        let data = table(&file).target("y").unwrap();
        assert_eq!(
            (data.columns(), data.row(0)),
            (&["a, b".to_owned()][..], Some(&[1.5][..]))
        );
    }

    #[test]
    fn numbers_come_back_bit_for_bit() {
        let numbers = [
            0.1_f32,
            -3.25e-20,
            1.0 / 3.0,
            16_777_217.0,
            f32::MIN_POSITIVE,
        ];
        let lines: String = numbers
            .iter()
            .map(|x| format!("{x},{}\n", x * 2.0))
            .collect();
        let data = table(&file(&lines)).header(false).target(1).unwrap();
        for (row, x) in numbers.iter().enumerate() {
            assert_eq!(data.row(row).unwrap()[0].to_bits(), x.to_bits());
        }
    }

    #[test]
    fn every_mistake_has_its_line_and_column() {
        type Read = fn(data::Table) -> Result<Data, DataError>;
        let cases: &[(&str, Read, &str)] = &[
            ("", |t| t.target("y"), "`t.csv` has no rows"),
            ("a,y\n", |t| t.target("y"), "`t.csv` has no rows"),
            (
                "y\n1\n",
                |t| t.target("y"),
                "`t.csv` has no feature columns",
            ),
            (
                "a,y\n1,0\n1,0,9\n",
                |t| t.target("y"),
                "`t.csv`, line 3: this row has 3 values, but the first line has 2",
            ),
            (
                "city,size,y\nBern,1,0\nRome,2,1\n",
                |t| t.target("y"),
                "`t.csv`, line 2, column `city`: `Bern` is not a number\n\
                 help: for a column of text write `.categorical(\"city\")`, or leave it out with `.ignore(\"city\")`",
            ),
            (
                "a,y\n1,0\n2,0\n1o,1\n",
                |t| t.target("y"),
                "`t.csv`, line 4, column `a`: `1o` is not a number\n\
                 help: for a column of text write `.categorical(\"a\")`, or leave it out with `.ignore(\"a\")`",
            ),
            (
                "1,0\n2,x\n3,1\n",
                |t| t.header(false).values().target(1),
                "`t.csv`, line 2, column 1 (the column counted from 0): `x` is not a number\n\
                 help: for a target of classes write `.classes()` before `.target(..)`",
            ),
            (
                "a,y\n1,0\n,1\n",
                |t| t.target("y"),
                "`t.csv`, line 3, column `a`: the value is missing\n\
                 help: choose what to do with it: `.missing(Missing::DropRow)`, `Mean`, `Zero` or `Value(x)`",
            ),
            (
                "a,y\n1,0\n2,\n",
                |t| t.missing(Missing::Zero).target("y"),
                "`t.csv`, line 3, column `y`: the value is missing\n\
                 help: a missing target is never filled in: leave the row out with `.missing(Missing::DropRow)`",
            ),
            (
                "a,y\ninf,0\n",
                |t| t.target("y"),
                "`t.csv`, line 2, column `a`: `inf` is not a finite number\n\
                 note: one such value makes every weight NaN after one step",
            ),
            (
                "price,y\n1,0\n",
                |t| t.target("prise"),
                "`t.csv` has no column `prise`: did you mean `price`?\nnote: its columns are `price`, `y`",
            ),
            (
                "a,y\n1,0\n",
                |t| t.target(2),
                "`t.csv` has no column 2\nnote: its columns are `a`, `y`",
            ),
            (
                "a,a\n1,0\n",
                |t| t.target(1),
                "`t.csv`: column `a` occurs twice in the header",
            ),
            (
                "a,b,y\n1,2,0\n",
                |t| t.ignore("y").target("y"),
                "`t.csv`: column `y` is used twice: a column can be the target, categorical, or ignored",
            ),
            (
                "a,y\nred,0\nblue,1\n",
                |t| t.categories("a", ["red", "green"]).target("y"),
                "`t.csv`, line 3, column `a`: `blue` is not one of the categories `red`, `green`",
            ),
            (
                "a,y\n,0\n,1\n",
                |t| t.missing(Missing::DropRow).target("y"),
                "`t.csv` without 2 rows with missing values has no rows",
            ),
        ];
        for (content, read, expected) in cases {
            let file = file(content);
            let error = read(table(&file)).expect_err(content);
            assert_eq!(text(&error, &file), *expected, "{content:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = data::csv("no/such/file.csv").unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read `no/such/file.csv`: "),
            "{error}"
        );
        let mut binary = tempfile::NamedTempFile::new().unwrap();
        binary.write_all(b"a,y\n1,2\n\xff,3\n").unwrap();
        let error = data::csv(binary.path()).unwrap_err();
        assert_eq!(
            text(&error, &binary),
            "`t.csv`, line 3: this is not UTF-8 text\nhelp: save the file as UTF-8"
        );
    }
}

mod against_a_model {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let three = spec::<ThreeConfig>();
        let x = || vec![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let error = |data: Result<Data, DataError>, spec: &damper::Spec| {
            data.unwrap().check_for(spec).unwrap_err().to_string()
        };
        let cases = [
            (
                error(Data::new([[1.0], [2.0]], [0, 1]), &three),
                "input `x` of `Three` is [2], so a row needs 2 values, but these rows have 1",
            ),
            (
                error(Data::new(x(), [0, 3, 1]), &three),
                "row 1 (counted from 0): label 3 is out of range: `Three` has 3 classes, so labels go from 0 to 2\n\
                 help: give the last layer 4 units, or number the classes from 0",
            ),
            (
                error(Data::new(x(), [0.0, 0.5, 1.0]), &three),
                "row 1 (counted from 0): target 0.5 is not a class index, but `cross_entropy` needs one\n\
                 help: for a target of real numbers write `loss mse`",
            ),
            (
                error(Data::new(x(), [1, 1, 1]), &three),
                "all 3 rows have the class 1, so there is nothing to learn",
            ),
            (
                error(Data::new(x(), ["a", "a", "a"]), &three),
                "all 3 rows have the class `a`, so there is nothing to learn",
            ),
            (
                error(Data::new(x(), ()), &three),
                "the data has no target, but `Three` is trained with `cross_entropy`",
            ),
            (
                error(Data::new(x(), [0.0, 1.0, 0.5]), &spec::<YesNoConfig>()),
                "row 2 (counted from 0): target 0.5 is not 0 or 1\n\
                 note: `binary_cross_entropy` is only defined for such targets",
            ),
            (
                error(Data::new(x(), [0, 1, 2]), &spec::<YesNoConfig>()),
                "row 2 (counted from 0): label 2 is out of range: `YesNo` has 2 classes, so labels go from 0 to 1\n\
                 help: `binary_cross_entropy` with one unit has two classes: for 3 classes write `loss cross_entropy` \
                 and give the last layer 3 units, or keep only two classes in the target",
            ),
            (
                error(
                    Data::new([[0.0], [1.0]], [0.5, -1.5]),
                    &spec::<LineConfig>(),
                ),
                "row 1 (counted from 0): target -1.5 is not in [-1, 1]\nnote: the model declares `target in ..`",
            ),
            (
                error(
                    Data::new([[0.0], [1.0]], [[0.5, 0.5], [0.1, 0.1]]),
                    &spec::<LineConfig>(),
                ),
                "`mse` of `Line` needs 1 value as the target of each row, but these rows have 2",
            ),
            (
                error(
                    Data::new([[0.0], [1.0]], ["low", "high"]),
                    &spec::<LineConfig>(),
                ),
                "the target has the classes `high`, `low`, but `mse` of `Line` needs numbers\n\
                 help: for classes write `loss cross_entropy`",
            ),
            (
                error(Data::new([[0.0, 1.0]], [0.5]), &spec::<PairConfig>()),
                "`Pair` has the inputs `user`, `item`, but the data has `(first)`\n\
                 help: `Data::new` takes the first input, `.with_input(\"NAME\", ..)` adds each further one",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_label_in_a_file_is_found_again_after_a_split() {
        let mut lines = String::from("a,b,digit\n");
        for row in 0..20 {
            lines += &format!("{row},0,{}\n", if row == 13 { 7 } else { row % 3 });
        }
        let file = file(&lines);
        let data = table(&file).target("digit").unwrap();
        let (train, valid) = data.split(0.5, 1).unwrap();
        let errors: Vec<String> = [train, valid]
            .iter()
            .filter_map(|part| part.check_rows_for(&spec::<ThreeConfig>()).err())
            .map(|e| text(&e, &file))
            .collect();
        assert_eq!(
            errors,
            [
                "`t.csv`, line 15, column `digit`: label 7 is out of range: `Three` has 3 classes, so labels go from 0 to 2\n\
              help: give the last layer 8 units, or read each distinct value as a class: `.classes()`"
            ]
        );
    }

    #[test]
    fn targets_become_what_the_loss_reads() {
        let device = Device::flex();
        let numbers = Data::new([[0.0, 1.0], [1.0, 0.0]], [2.0, 0.0]).unwrap();
        assert_eq!(
            classes(
                &numbers
                    .check_for(&spec::<ThreeConfig>())
                    .unwrap()
                    .batch(&device)
            ),
            [2, 0]
        );
        let named = Data::new([[0.0, 1.0], [1.0, 0.0]], ["yes", "no"]).unwrap();
        let Target::Values(values) = named
            .check_for(&spec::<YesNoConfig>())
            .unwrap()
            .batch(&device)
            .target
        else {
            panic!("numbers");
        };
        assert_eq!(values.into_data().try_to_vec::<f32>().unwrap(), [1.0, 0.0]);
    }

    #[test]
    fn several_inputs_are_found_by_name() {
        let data = Data::new([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
            .unwrap()
            .with_input("item", [[5.0], [6.0]])
            .unwrap();
        let batch = data
            .check_for(&spec::<PairConfig>())
            .unwrap()
            .batch(&Device::flex());
        assert_eq!(batch.inputs.0.len(), 2);
        let wrong = Data::new([[1.0, 2.0]], [0.0])
            .unwrap()
            .with_input("thing", [[5.0]])
            .unwrap();
        assert!(matches!(
            wrong.check_for(&spec::<PairConfig>()),
            Err(DataError::Inputs { .. })
        ));
    }
}

mod parts {
    use super::*;

    /// `count` rows of each class, each with its number as its feature.
    fn of_classes(counts: &[usize]) -> Data {
        let labels: Vec<usize> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, count)| vec![class; *count])
            .collect();
        let features: Vec<[f32; 1]> = (0..labels.len()).map(|row| [row as f32]).collect();
        Data::new(features, labels).unwrap()
    }

    fn counts(data: &Data) -> Vec<usize> {
        let Targets::Classes { indices, .. } = data.targets() else {
            panic!("classes")
        };
        let mut counts = vec![0; 1 + indices.iter().max().unwrap()];
        indices.iter().for_each(|class| counts[*class] += 1);
        counts
    }

    fn rows(data: &Data) -> BTreeSet<usize> {
        (0..data.rows())
            .map(|row| data.row(row).unwrap()[0] as usize)
            .collect()
    }

    #[test]
    fn a_split_keeps_the_classes_proportions() {
        let (train, valid) = of_classes(&[100, 50, 10, 2]).split(0.8, 7).unwrap();
        assert_eq!(
            (counts(&train), counts(&valid)),
            (vec![80, 40, 8, 1], vec![20, 10, 2, 1])
        );
        assert!(rows(&train).is_disjoint(&rows(&valid)));
        assert_eq!(train.rows() + valid.rows(), 162);
    }

    #[test]
    fn the_seed_is_the_split() {
        let data = of_classes(&[30, 30]);
        assert_eq!(data.split(0.8, 42).unwrap(), data.split(0.8, 42).unwrap());
        assert_ne!(
            rows(&data.split(0.8, 42).unwrap().1),
            rows(&data.split(0.8, 43).unwrap().1)
        );
    }

    #[test]
    fn real_targets_are_split_at_random() {
        let values: Vec<f32> = (0..50).map(|row| row as f32 / 7.0).collect();
        let data = Data::new(values.iter().map(|x| [*x]).collect::<Vec<_>>(), values).unwrap();
        let (train, valid) = data.split(0.9, 3).unwrap();
        assert_eq!((train.rows(), valid.rows()), (45, 5));
    }

    #[test]
    fn a_side_is_never_empty() {
        let data = of_classes(&[2]);
        for fraction in [0.0, 1.0, -0.5, f64::NAN, 2.0] {
            assert!(
                matches!(
                    data.split(fraction, 1),
                    Err(DataError::SplitFraction { .. })
                ),
                "{fraction}"
            );
        }
        assert_eq!(
            of_classes(&[1]).split(0.8, 1).unwrap_err().to_string(),
            "`split(0.8, ..)` of 1 row leaves one part empty\n\
             help: give the first part's fraction of the rows, between 0 and 1: `split(0.8, 42)`"
        );
        let all_different = of_classes(&[1, 1, 1, 1]).split(0.75, 1).unwrap();
        assert_eq!((all_different.0.rows(), all_different.1.rows()), (3, 1));
    }

    #[test]
    fn every_row_is_validated_once_in_k_folds() {
        let data = of_classes(&[10, 6, 5]);
        let folds = data.k_fold(5, 1).unwrap();
        let mut seen = BTreeSet::new();
        for (train, valid) in &folds {
            assert!(rows(train).is_disjoint(&rows(valid)));
            assert_eq!(train.rows() + valid.rows(), 21);
            assert!((4..=5).contains(&valid.rows()));
            assert_eq!(counts(valid)[0], 2);
            assert_eq!(counts(valid)[2], 1);
            seen.extend(rows(valid));
        }
        assert_eq!(seen.len(), 21);
        assert_eq!(
            data.k_fold(1, 1).unwrap_err().to_string(),
            "cannot make 1 fold of 21 rows: there must be at least 2 folds, and at most one for each row"
        );
        assert!(data.k_fold(22, 1).is_err());
    }
}

mod scaling {
    use super::*;

    #[test]
    fn statistics_come_from_the_training_part_only() {
        let train = Data::new([[0.0], [2.0], [4.0]], [0.0, 0.0, 0.0]).unwrap();
        let valid = Data::new([[100.0], [200.0]], [0.0, 0.0]).unwrap();
        let (scaled, [other]) = standardize(&train, [&valid]).unwrap();
        let deviation = (8.0_f32 / 3.0).sqrt();
        assert!((scaled.row(0).unwrap()[0] + 2.0 / deviation).abs() < 1e-6);
        assert!((other.row(0).unwrap()[0] - 98.0 / deviation).abs() < 1e-4);
        let alone = standardize(&train, [&train]).unwrap().0;
        assert_eq!(alone, scaled, "the validation part has no influence");
    }

    #[test]
    fn a_constant_column_becomes_zero() {
        let data = Data::new([[0.1, 5.0], [0.1, 7.0], [0.1, 9.0]], [0, 1, 0]).unwrap();
        for scaler in [
            Scaler::standard(&data).unwrap(),
            Scaler::min_max(&data).unwrap(),
        ] {
            let scaled = scaler.apply(&data).unwrap();
            assert!(
                (0..3).all(|row| scaled.row(row).unwrap()[0] == 0.0),
                "{scaled:?}"
            );
        }
    }

    #[test]
    fn a_large_mean_does_not_drown_the_deviation() {
        let data = Data::new([[1_000_000.0], [1_000_001.0], [1_000_002.0]], [0, 1, 0]).unwrap();
        let scaled = Scaler::standard(&data).unwrap().apply(&data).unwrap();
        assert!((scaled.row(2).unwrap()[0] - 1.5_f32.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn min_max_goes_from_0_to_1_and_back() {
        let data = Data::new([[-2.0, 1.0], [6.0, 3.0], [0.0, 2.0]], [0, 1, 0]).unwrap();
        let scaler = Scaler::min_max(&data).unwrap();
        let moved = scaler.apply(&data).unwrap();
        assert_eq!(moved.row(0), Some(&[0.0, 0.0][..]));
        assert_eq!(moved.row(1), Some(&[1.0, 1.0][..]));
        assert_eq!(scaler.inverse(&moved).unwrap(), data);
        assert_eq!(scaler.apply_row(&[2.0, 2.0]).unwrap(), [0.5, 0.5]);
    }

    #[test]
    fn a_scaler_is_saved_beside_the_weights() {
        let data = Data::new([[0.1, 2.0], [0.3, 5.0]], [0, 1]).unwrap();
        let scaler = Scaler::standard(&data).unwrap();
        let json = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<Scaler>(&json).unwrap(), scaler);
    }

    #[test]
    fn other_columns_are_refused() {
        let scaler =
            Scaler::standard(&Data::new([[0.0, 1.0], [1.0, 2.0]], [0, 1]).unwrap()).unwrap();
        let other = Data::new([[0.0]], [0]).unwrap();
        assert_eq!(
            scaler.apply(&other).unwrap_err().to_string(),
            "this scaler was made for inputs of [2] columns, but the data has [1]"
        );
        assert!(scaler.apply_row(&[1.0]).is_err());
    }
}

mod loading {
    use super::*;

    /// Rows whose first feature is their number, and whose class is that modulo 3.
    fn numbered(rows: usize) -> Prepared {
        let features: Vec<[f32; 2]> = (0..rows).map(|row| [row as f32, 0.0]).collect();
        let labels: Vec<usize> = (0..rows).map(|row| row % 3).collect();
        Data::new(features, labels)
            .unwrap()
            .check_for(&spec::<ThreeConfig>())
            .unwrap()
    }

    /// The numbers of the rows in each batch.
    fn epoch(loader: &dyn DataLoader<Batch>) -> Vec<Vec<usize>> {
        loader
            .iter()
            .map(|batch| {
                let batch = batch.unwrap();
                let rows: Vec<usize> = floats(&batch)
                    .iter()
                    .step_by(2)
                    .map(|x| *x as usize)
                    .collect();
                let labels: Vec<usize> = classes(&batch)
                    .iter()
                    .map(|class| *class as usize)
                    .collect();
                assert_eq!(
                    labels,
                    rows.iter().map(|row| row % 3).collect::<Vec<_>>(),
                    "features and targets go together"
                );
                rows
            })
            .collect()
    }

    #[test]
    fn every_row_comes_once_in_each_epoch() {
        let loader = numbered(20).loader(6, &Device::flex()).shuffled(42);
        let (first, second) = (epoch(&loader), epoch(&loader));
        assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [6, 6, 6, 2]);
        assert_ne!(first, second, "each epoch has its order");
        for epoch in [first, second] {
            let mut rows: Vec<usize> = epoch.concat();
            rows.sort_unstable();
            assert_eq!(rows, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_seed_and_the_epoch_are_the_order() {
        let loader = |seed| numbered(20).loader(6, &Device::flex()).shuffled(seed);
        let (a, b) = (loader(42), loader(42));
        assert_eq!((epoch(&a), epoch(&a)), (epoch(&b), epoch(&b)));
        assert_eq!(
            epoch(&loader(42).starting_at(2)),
            epoch(&a),
            "the third epoch"
        );
        assert_ne!(epoch(&loader(42)), epoch(&loader(43)));
        let order = numbered(8).loader(8, &Device::flex()).shuffled(42).order(0);
        assert_eq!(order, [7, 1, 5, 4, 6, 0, 3, 2], "the same on every machine");
    }

    #[test]
    fn without_a_seed_the_rows_keep_their_order() {
        let loader = numbered(5).loader(2, &Device::flex());
        assert_eq!(epoch(&loader), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(epoch(&loader), [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn the_last_batch_is_dropped_or_joined_on_request() {
        let loader = || numbered(7).loader(3, &Device::flex());
        assert_eq!(loader().batches(), 3);
        assert_eq!(
            epoch(&loader().drop_last(true)),
            [vec![0, 1, 2], vec![3, 4, 5]]
        );
        assert_eq!(loader().drop_last(true).num_items(), 6);
        assert_eq!(
            epoch(&loader().join_single(true)),
            [vec![0, 1, 2], vec![3, 4, 5, 6]]
        );
        let only = numbered(4).loader(64, &Device::flex()).drop_last(true);
        assert_eq!(only.batches(), 1, "the only batch is never dropped");
    }

    #[test]
    fn progress_ends_complete() {
        let loader = numbered(7).loader(3, &Device::flex()).drop_last(true);
        let mut batches = loader.iter();
        let mut seen = Vec::new();
        while batches.next().is_some() {
            seen.push((
                batches.progress().items_processed,
                batches.progress().is_completed(),
            ));
        }
        assert_eq!(seen, [(3, false), (6, true)]);
    }

    #[test]
    fn a_slice_has_its_rows_only() {
        let loader = numbered(10).loader(2, &Device::flex()).shuffled(1);
        let mut rows = epoch(loader.slice(3, 7).as_ref()).concat();
        rows.sort_unstable();
        assert_eq!(rows, [3, 4, 5, 6]);
        let plain = numbered(10).loader(2, &Device::flex());
        assert_eq!(
            epoch(plain.slice(3, 70).slice(1, 4).as_ref()),
            [vec![4, 5], vec![6]]
        );
        assert_eq!(plain.slice(9, 3).num_items(), 0);
    }

    #[test]
    fn batches_are_on_the_device_that_was_asked_for() {
        let loader = numbered(6).loader(2, &Device::flex()).shuffled(5);
        let expected = epoch(&loader);
        for device in [Device::flex(), Device::flex().autodiff()] {
            let moved = loader.to_device(&device);
            let batch = moved.iter().next().unwrap().unwrap();
            let InputTensor::Float(tensor, _) = &batch.inputs.0[0] else {
                panic!("real numbers")
            };
            assert_eq!(tensor.is_autodiff(), device.is_autodiff());
            assert_eq!(
                epoch(loader.to_device(&device).as_ref()),
                expected,
                "a copy begins with the first epoch"
            );
        }
    }
}

mod shapes {
    use super::*;

    #[test]
    fn an_image_is_a_row_of_its_pixels() {
        let lines: String = (0..3)
            .map(|class| format!("0,1,2,3,4,5,{class}\n"))
            .collect();
        let data = table(&file(&lines))
            .header(false)
            .classes()
            .target(6)
            .unwrap();
        let batch = data
            .check_for(&spec::<PixelsConfig>())
            .unwrap()
            .batch(&Device::flex());
        let image = batch.inputs.float::<4>(0).unwrap();
        assert_eq!(image.dims(), [3, 1, 2, 3]);
        let wrong = Data::new([[0.0; 9], [1.0; 9]], [0, 1]).unwrap();
        assert_eq!(
            wrong
                .check_for(&spec::<PixelsConfig>())
                .unwrap_err()
                .to_string(),
            "input `image` of `Pixels` is [1, 2, 3], so a row needs 6 values, but these rows have 9"
        );
    }

    #[test]
    fn a_target_of_several_positions_is_a_row() {
        let tags = |rows: Vec<[usize; 3]>| Data::new(vec![[0.5; 6]; rows.len()], rows).unwrap();
        let spec = spec::<TaggerConfig>();
        let data = tags(vec![[0, 1, 3], [2, 0, 0], [1, 1, 1]]);
        let prepared = data.check_for(&spec).unwrap();
        assert_eq!(
            classes(&prepared.batch(&Device::flex())),
            [0, 1, 3, 2, 0, 0, 1, 1, 1]
        );
        let loader = prepared.loader(2, &Device::flex()).shuffled(5);
        let rows = |batch: Batch| {
            classes(&batch)
                .chunks(3)
                .map(<[i64]>::to_vec)
                .collect::<Vec<_>>()
        };
        let seen: BTreeSet<Vec<i64>> = loader
            .iter()
            .flat_map(|batch| rows(batch.unwrap()))
            .collect();
        assert_eq!(seen.len(), 3, "a sample's classes stay together");

        let error = |data: Data| data.check_for(&spec).unwrap_err().to_string();
        assert_eq!(
            error(tags(vec![[0, 1, 3], [2, 0, 4]])),
            "row 1, column 2 (counted from 0): label 4 is out of range: `Tagger` has 4 classes, so labels go from 0 to 3\n\
             help: give the last layer 5 units, or number the classes from 0"
        );
        assert_eq!(
            error(Data::new([[0.5; 6]; 2], [0, 1]).unwrap()),
            "`cross_entropy` of `Tagger` needs 3 values (for the output [3, 4]) as the target of each row, but these rows have 1"
        );
    }

    #[test]
    fn a_mask_has_a_number_for_each_pixel() {
        let mask = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0];
        let data = Data::new([[0.5; 6]; 2], [mask, mask]).unwrap();
        let batch = data
            .check_for(&spec::<MaskConfig>())
            .unwrap()
            .batch(&Device::flex());
        let Target::Values(values) = batch.target else {
            panic!("numbers")
        };
        assert_eq!(values.dims(), [12, 1]);
        assert_eq!(
            values.into_data().try_to_vec::<f32>().unwrap(),
            [mask, mask].concat()
        );
    }

    #[test]
    fn probabilities_may_stand_in_place_of_classes() {
        let spec = spec::<ThreeConfig>();
        let data = |rows: [[f32; 3]; 2]| Data::new([[0.0, 1.0], [1.0, 0.0]], rows).unwrap();
        let batch = data([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
            .check_for(&spec)
            .unwrap()
            .batch(&Device::flex());
        let Target::Values(values) = batch.target else {
            panic!("probabilities")
        };
        assert_eq!(values.dims(), [2, 3]);
        let error = |rows| data(rows).check_for(&spec).unwrap_err().to_string();
        assert_eq!(
            error([[0.2, 0.3, 0.5], [1.0, 1.0, 0.0]]),
            "row 1, column 0 (counted from 0): these probabilities sum to 2, not to 1\n\
             note: `cross_entropy` of `Three` reads a row of 3 values as the probability of each class"
        );
        assert_eq!(
            error([[0.2, 0.3, 0.5], [1.5, -0.5, 0.0]]),
            "row 1, column 0 (counted from 0): target 1.5 is not a probability\n\
             note: `cross_entropy` reads a row of 3 values as the probability of each class"
        );
    }

    #[test]
    fn every_number_can_be_changed() {
        let data = Data::new([[0.0, 255.0]], [0]).unwrap();
        assert_eq!(
            data.clone().map(|x| x / 255.0).unwrap().row(0),
            Some(&[0.0, 1.0][..])
        );
        assert!(matches!(
            data.map(|x| 1.0 / x),
            Err(DataError::NotFinite { .. })
        ));
    }
}

mod tokens {
    use super::*;

    fn ints(batch: &Batch) -> Vec<i64> {
        match &batch.inputs.0[0] {
            InputTensor::Int(tensor, _) => tensor
                .clone()
                .into_data()
                .convert::<i64>()
                .try_to_vec()
                .unwrap(),
            InputTensor::Float(..) => panic!("an input of class indices"),
        }
    }

    #[test]
    fn short_sequences_are_filled_up_at_the_end() {
        let data = Data::sequences(&[vec![5, 3, 8], vec![2], vec![7, 7, 1, 4]], [1, 0, 1]).unwrap();
        let batch = data
            .check_for(&spec::<WordsConfig>())
            .unwrap()
            .batch(&Device::flex());
        assert_eq!(ints(&batch), [5, 3, 8, 0, 2, 0, 0, 0, 7, 7, 1, 4]);
        let some = data.select(&[1, 0]).unwrap();
        let batch = some
            .check_for(&spec::<WordsConfig>())
            .unwrap()
            .batch(&Device::flex());
        assert_eq!(ints(&batch), [2, 0, 0, 0, 5, 3, 8, 0]);
        assert_eq!(some.row(0), Some(&[2.0][..]));
    }

    #[test]
    fn what_is_no_sequence_of_the_model_is_named() {
        let error = |sequences: &[Vec<f32>]| {
            let targets: Vec<usize> = (0..sequences.len()).map(|row| row % 2).collect();
            Data::sequences(sequences, targets)
                .and_then(|data| data.check_for(&spec::<WordsConfig>()))
                .unwrap_err()
                .to_string()
        };
        let good = vec![1.0, 2.0];
        let cases = [
            (
                vec![good.clone(), vec![]],
                "row 1 (counted from 0): this sequence has no steps\nhelp: leave the sample out, or give it at least one step",
            ),
            (
                vec![good.clone(), vec![0.0, 0.0]],
                "row 1 (counted from 0): this sequence has no steps\n\
                 help: 0 is the padding of input `tokens`: leave the sample out, or give it at least one step",
            ),
            (
                vec![good.clone(), vec![1.0; 5]],
                "row 1 (counted from 0): this sequence has 5 steps, but input `tokens` of `Words` is [4]\n\
                 help: shorten it, or declare the length of the longest sequence: `tokens: [5]`",
            ),
            (
                vec![good.clone(), vec![1.0, 9.0]],
                "row 1, column 1 (counted from 0): 9 is outside the vocabulary: input `tokens` of `Words` is \
                 `of int(vocab = 9)`, so its classes go from 0 to 8",
            ),
            (
                vec![good.clone(), vec![1.0, 1.5]],
                "row 1, column 1 (counted from 0): 1.5 is not a class index: input `tokens` of `Words` is `of int`, so it takes \
                 whole numbers from 0",
            ),
            (
                vec![good, vec![-1.0]],
                "row 1, column 0 (counted from 0): -1 is not a class index: input `tokens` of `Words` is `of int`, so it takes \
                 whole numbers from 0",
            ),
        ];
        for (sequences, expected) in cases {
            assert_eq!(error(&sequences), expected);
        }
    }

    #[test]
    fn without_a_padding_class_sequences_have_one_length() {
        let spec = spec::<BareConfig>();
        let data = |second: Vec<i32>| Data::sequences(&[vec![1, 2, 3], second], [0, 1]).unwrap();
        assert!(data(vec![3, 2, 1]).check_for(&spec).is_ok());
        assert_eq!(
            data(vec![3, 2]).check_for(&spec).unwrap_err().to_string(),
            "row 1 (counted from 0): this sequence has 2 steps, but input `tokens` of `Bare` is [3]\n\
             help: declare a class to pad short sequences with: `tokens: [3] of int(vocab = 6, pad = 0)`"
        );
        assert_eq!(
            data(vec![3, 2, 6])
                .check_for(&spec)
                .unwrap_err()
                .to_string(),
            "row 1, column 2 (counted from 0): 6 is outside the vocabulary: input `tokens` of `Bare` is read by \
             `embedding(6, ..)`, so its classes go from 0 to 5",
            "the embedding's table is the vocabulary"
        );
    }

    #[test]
    fn sequences_are_not_for_an_input_of_real_numbers() {
        let data = Data::sequences(&[vec![1, 2], vec![1]], [0, 1]).unwrap();
        assert_eq!(
            data.check_for(&spec::<ThreeConfig>())
                .unwrap_err()
                .to_string(),
            "input `x` of `Three` takes real numbers, but these are sequences of class indices\n\
             help: declare it as `x: [2] of int(pad = 0)`, and read it with an `embedding`"
        );
    }
}

#[cfg(feature = "images")]
fn text_of(checked: Result<Prepared, DataError>) -> String {
    checked.unwrap_err().to_string()
}

#[cfg(feature = "images")]
mod folders {
    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage};
    use std::path::Path;

    model! {
        /// Two classes of 2x3 pixels in color.
        pub Color
        input image: [3, 2, 3]
        layers { head: flatten -> linear(2); }
        loss cross_entropy
    }

    /// Two classes of two images each, 2 high and 3 wide.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (class, file, red) in [
            ("dog", "b", 51),
            ("dog", "a", 255),
            ("cat", "x", 0),
            ("cat", "y", 102),
        ] {
            std::fs::create_dir_all(folder.path().join(class)).unwrap();
            let picture = RgbImage::from_fn(3, 2, |x, y| {
                Rgb([red, u8::try_from(x).unwrap(), u8::try_from(y).unwrap()])
            });
            picture
                .save(folder.path().join(class).join(file).with_extension("png"))
                .unwrap();
        }
        folder
    }

    fn error(folder: &Path) -> String {
        data::images(folder)
            .and_then(data::Images::read)
            .unwrap_err()
            .to_string()
            .replace(&folder.display().to_string(), "pets")
    }

    #[test]
    fn a_folder_is_a_class() {
        let folder = folder();
        std::fs::write(folder.path().join("cat/.hidden.png"), "").unwrap();
        std::fs::write(folder.path().join("cat/notes.txt"), "not an image").unwrap();
        let data = data::images(folder.path()).unwrap().read().unwrap();
        assert_eq!(data.to_string(), "4 rows: images [3, 2, 3], 2 classes");
        assert_eq!(data.classes(), ["cat", "dog"]);
        assert_eq!(
            data.targets(),
            &Targets::Classes {
                indices: vec![0, 0, 1, 1].into(),
                names: vec!["cat".to_owned(), "dog".to_owned()].into(),
            }
        );
        let (low, mid) = (1.0 / 255.0, 2.0 / 255.0);
        let dog = data.row(2).unwrap();
        let expected = [
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, low, mid, 0.0, low, mid, 0.0, 0.0, 0.0, low, low,
            low,
        ];
        assert!(
            dog.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{dog:?}"
        );
        assert!(data.check_for(&spec::<ColorConfig>()).is_ok());
    }

    #[test]
    fn sizes_are_one_or_made_one() {
        let folder = folder();
        GrayImage::from_pixel(5, 4, Luma([128]))
            .save(folder.path().join("dog/c.png"))
            .unwrap();
        assert_eq!(
            error(folder.path()),
            "`pets/dog/c.png` is 4x5 pixels (height x width), but `pets/cat/x.png` is 2x3\n\
             help: resize all images to one size: `.resize(2, 3)`"
        );
        let images = data::images(folder.path()).unwrap();
        assert_eq!(
            (images.count(), images.classes()),
            (5, &["cat".to_owned(), "dog".to_owned()][..])
        );
        let data = images.gray().resize(2, 3).read().unwrap();
        assert_eq!(data.to_string(), "5 rows: images [1, 2, 3], 2 classes");
        assert!(
            data.row(4)
                .unwrap()
                .iter()
                .all(|x| (x - 128.0 / 255.0).abs() < 1e-5)
        );
        assert_eq!(
            data.check_for(&spec::<ColorConfig>())
                .unwrap_err()
                .to_string(),
            "input `image` of `Color` is [3, 2, 3], but these images are [1, 2, 3]\n\
             help: read the images in color, without `.gray()`"
        );
        assert_eq!(
            super::text_of(
                data::images(folder.path())
                    .unwrap()
                    .resize(8, 8)
                    .read()
                    .unwrap()
                    .check_for(&spec::<ColorConfig>())
            ),
            "input `image` of `Color` is [3, 2, 3], but these images are [3, 8, 8]\nhelp: resize the images: `.resize(2, 3)`"
        );
    }

    #[test]
    fn a_label_is_found_again_in_its_file() {
        let folder = folder();
        std::fs::create_dir(folder.path().join("emu")).unwrap();
        std::fs::copy(
            folder.path().join("dog/a.png"),
            folder.path().join("emu/e.png"),
        )
        .unwrap();
        let data = data::images(folder.path()).unwrap().read().unwrap();
        let some = data.select(&[3, 4, 1]).unwrap();
        let error = super::text_of(some.check_rows_for(&spec::<ColorConfig>()));
        assert_eq!(
            error.replace(&folder.path().display().to_string(), "pets"),
            "`pets/emu/e.png`: label 2 (`emu`) is out of range: `Color` has 2 classes, so labels go from 0 to 1\n\
             help: give the last layer 3 units, or number the classes from 0"
        );
    }

    #[test]
    fn what_is_no_folder_of_classes_is_named() {
        let folder = folder();
        let path = folder.path();
        assert_eq!(
            error(&path.join("nowhere")),
            "cannot read `pets`: No such file or directory (os error 2)"
        );
        std::fs::create_dir(path.join("empty")).unwrap();
        assert_eq!(
            error(path),
            "the class `pets/empty` has no images\nhelp: put images there (`.png`, `.jpg`), or remove the folder"
        );
        assert_eq!(
            error(&path.join("empty")),
            "the folder `pets` has no classes\nhelp: make one folder for each class: `pets/cat/1.png`, `pets/dog/1.png`"
        );
        std::fs::create_dir(path.join("empty/deeper")).unwrap();
        assert_eq!(
            error(path),
            "the class `pets/empty` has no images\n\
             help: it has the folder `pets/empty/deeper`: if the classes are one level deeper, write `data::images(\"pets/empty\")`"
        );
        std::fs::remove_dir_all(path.join("empty")).unwrap();
        assert_eq!(
            error(&path.join("cat")),
            "the image `pets/x.png` is not in the folder of a class\n\
             help: make one folder for each class: `pets/cat/1.png`, `pets/dog/1.png`"
        );
        std::fs::write(path.join("dog/z.webp"), "").unwrap();
        assert_eq!(
            error(path),
            "cannot read the image `pets/dog/z.webp`: only PNG and JPEG can be read"
        );
    }

    #[test]
    fn a_file_that_is_no_image_or_cut_off_is_named() {
        let folder = folder();
        let whole = std::fs::read(folder.path().join("dog/a.png")).unwrap();
        for content in [&b"not a picture"[..], &whole[..whole.len() / 2], &[]] {
            std::fs::write(folder.path().join("dog/a.png"), content).unwrap();
            let error = error(folder.path());
            assert!(
                error.starts_with("cannot read the image `pets/dog/a.png`: "),
                "{error}"
            );
        }
    }
}
