"""The words that belong to Rust itself: keywords, primitive types, names of the standard library.

Two texts are compared with the author's own names taken out; these are the names that stay.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS = _words("""
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for
    gen if impl in let loop macro match mod move mut override priv pub ref return self Self static struct
    super trait true try type typeof union unsafe unsized use virtual where while yield macro_rules
    """)

PRIMITIVES = _words("bool char str i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64")

STD_TYPES = _words("""
    Option Some None Result Ok Err Box Vec String Rc Arc Cell RefCell Mutex RwLock Cow Weak Pin PhantomData
    HashMap HashSet BTreeMap BTreeSet VecDeque BinaryHeap LinkedList Entry Occupied Vacant Reverse Ordering
    Less Equal Greater Range RangeInclusive Iterator IntoIterator DoubleEndedIterator ExactSizeIterator
    FromIterator Extend Peekable Iter IterMut IntoIter Chars Bytes Lines Clone Copy Debug Display Default Drop
    Eq PartialEq Ord PartialOrd Hash Hasher Send Sync Sized Unpin Fn FnMut FnOnce From Into TryFrom TryInto
    AsRef AsMut Borrow ToOwned ToString FromStr Deref DerefMut Index IndexMut Add Sub Mul Div Rem Neg Not
    BitAnd BitOr BitXor Shl Shr AddAssign SubAssign MulAssign DivAssign RemAssign Sum Product Error Formatter
    Write Read BufRead BufReader BufWriter Path PathBuf OsStr OsString File Duration Instant SystemTime Any
    TypeId Wrapping NonZeroU32 NonZeroUsize ParseIntError ParseFloatError Utf8Error FromUtf8Error
    TryFromIntError Ipv4Addr Ipv6Addr Future Poll Context Waker Waiting Infallible ControlFlow Bound Included
    Excluded Unbounded AtomicBool AtomicUsize AtomicU64 OnceCell OnceLock LazyLock ManuallyDrop MaybeUninit
    NonNull CString CStr Layout Arguments
    """)

STD_MODULES = _words("""
    std core alloc collections fmt cmp ops iter slice str string vec option result boxed rc sync cell mem ptr
    num convert default hash borrow io fs path env process thread time net any error marker char ascii
    hash_map hash_set btree_map btree_set vec_deque binary_heap atomic mpsc prelude consts
    """)

STD_CALLS = _words("""
    abs abs_diff acos add all and and_then any append as_bytes as_bytes_mut as_deref as_deref_mut as_mut
    as_mut_slice as_ptr as_ref as_slice as_str asin atan atan2 back binary_search binary_search_by
    binary_search_by_key borrow borrow_mut by_ref bytes capacity cbrt ceil chain char_indices chars
    checked_add checked_div checked_mul checked_neg checked_pow checked_rem checked_sub chunks chunks_exact
    clamp clear clone clone_from cloned cmp collect concat contains contains_key copied copy_from_slice cos
    count count_ones count_zeros cycle dedup dedup_by dedup_by_key default deref drain drop ends_with entry
    enumerate eq eq_ignore_ascii_case err escape_debug exp expect expect_err extend extend_from_slice
    fetch_add fill filter filter_map find find_map first first_mut flat_map flatten floor fmt fold for_each
    from from_digit from_fn from_iter from_str from_str_radix from_utf8 from_utf8_lossy front fuse ge get
    get_mut get_or_insert get_or_insert_with get_unchecked gt hash hypot insert insert_str inspect into
    into_boxed_slice into_bytes into_inner into_iter into_keys into_string into_values is_alphabetic
    is_alphanumeric is_ascii is_ascii_alphabetic is_ascii_alphanumeric is_ascii_digit is_ascii_hexdigit
    is_ascii_lowercase is_ascii_punctuation is_ascii_uppercase is_ascii_whitespace is_char_boundary is_control
    is_digit is_disjoint is_empty is_err is_err_and is_finite is_infinite is_lowercase is_nan is_negative
    is_none is_none_or is_numeric is_ok is_ok_and is_positive is_power_of_two is_some is_some_and is_sorted
    is_subset is_superset is_uppercase is_whitespace iter iter_mut join keys last last_mut le leading_zeros
    len lines ln load lock log10 log2 lt make_ascii_lowercase make_ascii_uppercase map map_err map_or
    map_or_else map_while match_indices matches max max_by max_by_key min min_by min_by_key mul ne neg new
    next next_back not nth ok ok_or ok_or_else once or or_default or_else or_insert or_insert_with
    overflowing_add overflowing_mul overflowing_neg overflowing_pow overflowing_sub parse
    partial_cmp partition peek peek_mut peekable pop pop_back pop_front position pow powf powi product push
    push_back push_front push_str read read_line read_to_string rem rem_euclid div_euclid remove repeat
    repeat_with replace replace_range replacen reserve resize retain rev reverse rfind rotate_left
    rotate_right round rposition rsplit rsplitn saturating_add saturating_mul saturating_sub scan send set
    shrink_to_fit signum sin size_of skip skip_while sort sort_by sort_by_key sort_unstable sort_unstable_by
    sort_unstable_by_key spawn splice split split_ascii_whitespace split_at split_at_mut split_first
    split_last split_off split_once split_terminator split_whitespace splitn sqrt starts_with step_by store
    strip_prefix strip_suffix sub successors sum swap swap_remove take take_while tan then then_some
    to_ascii_lowercase to_ascii_uppercase to_be_bytes to_bits to_digit to_le_bytes to_lowercase to_owned
    to_string to_uppercase to_vec trailing_zeros trim trim_end trim_end_matches trim_matches trim_start
    trim_start_matches truncate try_borrow try_fold try_for_each try_from try_into unwrap unwrap_err unwrap_or
    unwrap_or_default unwrap_or_else unzip update values values_mut windows with_capacity wrapping_add
    wrapping_mul wrapping_neg wrapping_sub write write_fmt write_str zip is_multiple_of div_ceil ilog2 ilog10
    isqrt
    """)

STD_CONSTANTS = _words("MAX MIN BITS EPSILON INFINITY NEG_INFINITY NAN PI E TAU SQRT_2 LN_2 LN_10")

STD_NAMES = STD_TYPES | STD_MODULES | STD_CALLS | STD_CONSTANTS
"""Names of the standard library, whatever they stand for."""

LANGUAGE = KEYWORDS | PRIMITIVES
"""Words that no author can choose."""

BOILERPLATE = (
    LANGUAGE
    | STD_NAMES
    | _words("""
        cfg test tests derive inline must_use allow warn deny doc main assert assert_eq assert_ne println
        print format eprintln panic vec todo unimplemented unreachable write writeln dead_code
        unused_variables unused_imports rust a b c i j k n x y z s v t u f e T U K V E
        """)
)
"""Words that say nothing about a problem: a run of them alone is no sign of a copy."""
