"""Rows with secrets and personal data go and are named; what merely looks like them stays.

No secret of this file is one: all are drawn, or their parts are put together here.
"""

import base64
import json
import random
import string
from collections.abc import Callable

import pytest

from rust_expert.common.config.dataset import CleanOptions, DatasetSpec, SourceSpec
from rust_expert.common.contracts import Sample
from rust_expert.dataset.admission import Account, Gate, Others
from rust_expert.dataset.clean import clean
from rust_expert.dataset.personal import ADDRESS, EMAIL, PHONE, personal_in
from rust_expert.dataset.privacy import PERSONAL, SECRET, without_private
from rust_expert.dataset.secrets import secrets_in
from rust_expert.syntax import row_code

_RANDOM = random.Random(20)
LETTERS, SMALL = string.ascii_letters + string.digits, string.ascii_lowercase + string.digits
BASE32 = string.ascii_uppercase + "234567"


def drawn(size: int, alphabet: str = LETTERS) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(size))


def coded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def private_key() -> str:
    body = "\n".join(drawn(64, LETTERS + "+/") for _ in range(12))
    return "-----BEGIN RSA PRIVATE " + f"KEY-----\n{body}\n-----END RSA PRIVATE " + "KEY-----"


SECRETS: dict[str, str] = {
    "betterleaks.aws-access-token": "AK" + f"IA{drawn(16, BASE32)}\naws_secret_access_key = '{drawn(40)}'",
    "betterleaks.github-pat": "gh" + f"p_{drawn(36)}",
    "betterleaks.github-fine-grained-pat": "github" + f"_pat_{drawn(22)}_{drawn(59)}",
    "betterleaks.gitlab-pat": "gl" + f"pat-{drawn(20)}",
    "betterleaks.gcp-api-key": "AI" + f"za{drawn(35)}",
    "betterleaks.huggingface-access-token": "h" + f"f_{drawn(34, string.ascii_letters)}",
    "betterleaks.anthropic-api-key": "sk-" + f"ant-api03-{drawn(93)}AA",
    "betterleaks.stripe-access-token": "sk" + f"_live_{drawn(40)}",
    "betterleaks.twilio-api-key": "S" + f"K{drawn(32, '0123456789abcdef')}",
    "betterleaks.jwt": f"{coded({'alg': 'HS256', 'typ': 'JWT'})}.{coded({'sub': drawn(12)})}.{drawn(43)}",
    "betterleaks.private-key": private_key(),
    "betterleaks.generic-credential-uri": f"postgres://service:{drawn(18)}@db.{drawn(8, SMALL)}.net/orders",
    "veles.secrets/npmjsaccesstoken": "np" + f"m_{drawn(36)}",
    "veles.secrets/sendgrid": "S" + f"G.{drawn(22)}.{drawn(43)}",
}

HARMLESS = [
    'const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";',
    'assert_eq!(hex(&md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");',
    'const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";',
    "const K: [u32; 4] = [0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5];",
    'let id = Uuid::parse_str("67e55044-10b1-426f-9247-bb680e5fe0c8").unwrap();',
    "let token = lexer.next_token()?; let secret_key = derive_key(password, &salt);",
    "pub fn with_password(mut self, password: &str) -> Self { self.password = Some(password.into()); self }",
    'headers.insert("Authorization", format!("Bearer {token}"));',
    'let url = format!("postgres://{user}:{password}@{host}/{name}");',
    'assert_eq!(encode(b"hello world"), "aGVsbG8gd29ybGQ=");',
    "/// Mail to user@example.com, joe@mail.example.org or root@localhost.",
    "/// ssh git@github.com:owner/project.git, chacha20-poly1305@openssh.com",
    'let server = "127.0.0.1:8080"; let inside = "192.168.1.20"; let told = "203.0.113.7"; let any = "0.0.0.0";',
    "/// See RFC 5280, section 4.2.1.6, OID 2.5.29.17, version 1.2.3.4, 10.4.3.2.",
    'let (v6, loopback) = ("2001:db8::1", "::1"); let at = "23:59:59"; std::net::ipv6::parse();',
    'assert_eq!(format(-1_234_567), "+1 234"); let span = +1970 - 1; // 2024-01-01, +2739877-01-03',
    "match x { n @ 1..=9 => n, other @ _ => other + 1 }",
    'let dial = "+1 202 555 0143";',
]

PERSONAL_DATA = {
    EMAIL: ["/// By Mira Quandt <mira.quandt@quandt-soft.de>", "mailto:m.quandt+rust@uni-tal.ac.uk"],
    PHONE: ["/// Call +49 30 901820 in the morning.", "// (212) 736-5000", "// 212-736-5000 or mail"],
    ADDRESS: ['let peer = "93.184.77.12:443";', "/// [2a01:4f8:c17:3d2::2]:22"],
}


def row(gen: str, prompt: str = "Write it.", **metadata: object) -> Sample:
    given = {"task_type": "code_generation", "source": "crates", "source_crate": "a"}
    return Sample.make(prompt=prompt, gen=gen, **{**given, **metadata})


def in_code(text: str) -> str:
    return f'fn connect() -> Client {{\n    let given = r#"{text}"#;\n    Client::new(given)\n}}'


@pytest.mark.parametrize("rule", SECRETS)
def test_a_row_with_a_secret_goes_and_is_named(rule: str) -> None:
    secret = SECRETS[rule]
    asked = row("It connects.", prompt=f"Explain:\n```rust\n{in_code(secret)}\n```")
    answered, clean_row = row(in_code(secret)), row(in_code("none"))
    kept, report = without_private([asked, clean_row, answered], CleanOptions())
    assert kept == [clean_row]
    assert report["removed"] == 2 and report["rows_checked"] == 3
    assert report["removed_by_kind"][SECRET][rule] == 2
    assert {entry["row"] for entry in report["rows"]} == {asked.id, answered.id}
    assert all({"reason": SECRET, "kind": rule} in entry["found"] for entry in report["rows"])
    told = json.dumps(report)
    assert not any(line in told for line in secret.splitlines())


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind in PERSONAL_DATA for text in PERSONAL_DATA[kind]]
)
def test_a_row_with_personal_data_goes_and_is_named(kind: str, text: str) -> None:
    rows = [row(f"{text}\nfn f() {{}}"), row("fn f() {}"), row("fn g() {}", prompt=text)]
    kept, report = without_private(rows, CleanOptions())
    assert kept == [rows[1]]
    assert report["removed_by_kind"] == {SECRET: {}, PERSONAL: {kind: 2}}
    assert text not in json.dumps(report)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert secrets_in([text, in_code(text)]) == {}
    assert personal_in([text, in_code(text)]) == {}


def test_each_search_has_its_switch() -> None:
    rows = [row(in_code(SECRETS["betterleaks.github-pat"])), row(in_code(PERSONAL_DATA[EMAIL][0]))]
    for secrets, personal in ((True, False), (False, True), (False, False)):
        kept, report = without_private(rows, CleanOptions(secrets=secrets, personal=personal))
        assert kept == [row for row, wanted in zip(rows, (secrets, personal), strict=True) if not wanted]
        assert report["looked_for"] == {SECRET: secrets, PERSONAL: personal}


def test_a_text_is_found_wherever_it_stands_among_many() -> None:
    """Texts are looked at together: a find belongs to its own text, at the first and the last byte too."""
    texts = [drawn(_RANDOM.randrange(0, 90), LETTERS + " .:-\n") for _ in range(20_000)]
    planted = {
        place: (kind, _RANDOM.choice(PERSONAL_DATA[kind]))
        for place in [0, 19_999, *_RANDOM.sample(range(20_000), 60)]
        for kind in [_RANDOM.choice(list(PERSONAL_DATA))]
    }
    for place, (_, text) in planted.items():
        texts[place] = text
    found = personal_in(texts)
    assert {place: found.get(place) for place in planted} == {
        place: [kind] for place, (kind, _) in planted.items()
    }


def test_cleaning_tells_of_it_and_keeps_the_harmless_twin() -> None:
    """Of two duplicates the first stays; it must not be the one that is removed afterwards."""
    code = "fn ring(bell: &Bell) -> u32 { bell.strike(3) }"
    rows = [
        row(code, prompt=f"Write ring. Asked by {PERSONAL_DATA[EMAIL][0]}", doc=True),
        row(code, prompt="Write ring."),
    ]
    cleaned = clean(rows, [], CleanOptions(val_fraction=0))
    assert [sample.prompt for sample in cleaned.samples] == ["Write ring."]
    steps = {step["step"]: step["removed"] for step in cleaned.funnel["steps"]}
    assert steps["secrets and personal data"] == cleaned.privacy["removed"] == 1


def test_rows_of_other_sources_pass_the_same_check() -> None:
    spec = DatasetSpec(
        curriculum_rows=0, crate_rows=0, max_chars=4000, val_rows=0,
        sources={"theirs": SourceSpec.model_validate({"from": "local:x.jsonl"})},
    )  # fmt: skip
    rows = [
        row(in_code(text), source="theirs", source_crate=None)
        for text in (SECRETS["betterleaks.github-pat"], PERSONAL_DATA[ADDRESS][0], "none")
    ]
    for options, passed in ((CleanOptions(), 1), (CleanOptions(secrets=False, personal=False), 3)):
        account = Account()
        gate = Gate([], spec, Others({"theirs": rows}, [], options), row_code)
        admitted = list(gate.admitted(rows, account))
        assert len(admitted) == passed
        assert account.filtered["secret or personal data"] == 3 - passed


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: "a." * n + "@",
        lambda n: "a@" * n,
        lambda n: "a@b." * n,
        lambda n: "://" + "a:" * n + "@b.c",
        lambda n: "1.1" * n,
        lambda n: "+1 " * n + "+1" + "(1" * n,
        lambda n: "2001:" * n,
        lambda n: "123-" * n,
    ],
)
def test_a_hostile_text_is_read_in_linear_time(hostile: Callable[[int], str]) -> None:
    """With time that grows as the square of the length this would take hours."""
    personal_in([hostile(200_000)])
