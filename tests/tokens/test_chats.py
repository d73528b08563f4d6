"""Conversations become tokens by the model's own chat template, in its sandbox."""

import pytest
from tokenizers import Tokenizer

from tests.tiny import PREFIX, tiny_tokenizer
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "[{{ message['role'] }}] {{ message['content'] | trim }}{{ eos_token }}{% endfor %}"
)


def chat(*contents):
    roles = ("user", "assistant") * len(contents)
    return [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]


CHATS = [chat("Hi Ω", " Ho "), chat(f"What is {PREFIX}?", "The end.")]


@pytest.fixture
def template(snapshot):
    def give(template):
        tokenizer = tiny_tokenizer()
        tokenizer.chat_template = template
        tokenizer.save_pretrained(snapshot, save_jinja_files=False)
        return Tokenizer.from_file(str(snapshot / "tokenizer.json"))

    return give


def test_a_conversation_is_read_by_the_template(shard, template):
    tokenizer = template(TEMPLATE)
    found = shard(tokenize_corpus, texts=CHATS)
    assert tokenizer.decode(found[0], skip_special_tokens=False) == (
        f"{PREFIX}[user] Hi Ω{PREFIX}[assistant] Ho{PREFIX}"
    ), "the prefix token stands there once, though the template has it too"
    assert found[0].count(0) == 3


def test_a_name_in_a_message_is_text(shard, template):
    template(TEMPLATE)
    text = shard(tokenize_corpus, texts=CHATS)[1]
    special = shard(tokenize_corpus, 0, "--special-tokens-in-text", texts=CHATS)[1]
    assert (text.count(0), special.count(0)) == (3, 4)


def test_conversations_are_cut_at_the_limit(shard, template):
    template(TEMPLATE)
    whole = shard(tokenize_corpus, texts=CHATS)
    cut = shard(tokenize_corpus, 0, "--tokens-per-document", 9, texts=CHATS)
    assert cut == {doc: tokens[:10] for doc, tokens in whole.items()}


def test_a_template_with_todays_date_makes_the_same_tokens_on_any_day(shard, template):
    tokenizer = template("{{ strftime_now('%d %b %Y') }} {{ messages[0]['content'] }}")
    found = shard(tokenize_corpus, texts=CHATS)
    assert tokenizer.decode(found[0][1:]) == "26 Jul 2024 Hi Ω"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, r"^models\.tiny: its tokenizer has no chat template to read conversations by; "),
        (
            "{{ raise_exception('roles must alternate') }}",
            r"^datasets\.x: document 0 of .* is not what the chat template takes \(roles must alt",
        ),
        (
            "{{ messages[0].content.__class__.__mro__ }}",
            r"^datasets\.x: document 0 of .* takes \(access to attribute '__class__' of 'str' obj",
        ),
        ("{{ no.such.thing }}", r"^datasets\.x: document 0 of .* takes \('no' is undefined\); "),
    ],
)
def test_a_template_that_does_not_work_is_one_sentence(shard, template, text, expected):
    template(text)
    with pytest.raises(InputError, match=expected):
        shard(tokenize_corpus, texts=CHATS)
