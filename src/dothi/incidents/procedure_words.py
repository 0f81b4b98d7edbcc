"""What is wrong with a procedure, as the person who writes it reads it, in both languages."""

import re

from dothi.model.procedure import Words

_PLACE = re.compile(
    r"(?P<part>step|field|choices|pause|start|next|escalate) (?:'(?P<id>[^']*)'|no\. (?P<no>\d+))"
    r"|key (?P<key>[\w.]+)"
)
_PARTS = {
    "step": ("bước", "step"),
    "field": ("mục", "field"),
    "choices": ("lựa chọn", "choice"),
    "pause": ("lý do tạm dừng", "reason for a pause"),
    "start": ("cảnh báo gọi quy trình", "alarm that calls for it"),
    "next": ("nhánh", "branch"),
    "escalate": ("cấp báo quá hạn", "level of escalation"),
}
_KEYS = {
    "id": ("mã", "id"),
    "version": ("phiên bản", "version"),
    "title": ("tên", "title"),
    "purpose": ("mục đích", "purpose"),
    "text": ("phải làm gì", "what is to be done"),
    "label": ("câu hỏi, nhãn", "question, label"),
    "role": ("vị trí làm", "position"),
    "limit": ("thời hạn", "time limit"),
    "limit_source": ("căn cứ của thời hạn", "source of the limit"),
    "first": ("bước đầu", "first step"),
    "kind": ("kiểu", "kind"),
    "unit": ("đơn vị", "unit"),
    "choices": ("lựa chọn", "choices"),
    "step": ("các bước", "steps"),
    "next": ("sau bước này", "what follows"),
    "to": ("nơi đến", "to"),
    "valid_from": ("có hiệu lực từ", "valid from"),
    "priority": ("mức ưu tiên", "priority"),
    "escalate.after": ("báo sau hạn", "escalation after"),
    "vi": ("tiếng Việt", "Vietnamese"),
    "en": ("tiếng Anh", "English"),
}
_TYPES = {
    "str": ("chữ", "a text"),
    "int": ("số nguyên", "a whole number"),
    "float": ("số", "a number"),
    "bool": ("true hoặc false", "true or false"),
    "array": ("danh sách", "a list"),
    "object": ("bảng", "a table"),
    "date": ("ngày", "a date"),
    "null": ("trống", "nothing"),
}
_SAID = [
    (re.compile(pattern), vi, en)
    for pattern, vi, en in (
        (r"Expected `str` of length >= 1", "chưa điền", "nothing is written yet"),
        (r"Expected `str` of length <= (\d+)", "dài quá {0} ký tự", "longer than {0} characters"),
        (
            r"Expected `str` matching regex .*",
            "chỉ dùng chữ thường không dấu, số, gạch nối",
            "only small letters a–z, digits, hyphen and underscore",
        ),
        (r"Expected `array` of length >= 1", "cần ít nhất một", "at least one is needed"),
        (r"Expected `\w+` >= (\S+)", "ít nhất là {0}", "at least {0}"),
        (r"Expected `\w+` <= (\S+)", "nhiều nhất là {0}", "at most {0}"),
        (r"Expected `([\w |]+)`, got `(\w+)`", "cần {0}, đây là {1}", "needs {0}, this is {1}"),
        (r"Invalid enum value '(.*)'", "không có lựa chọn “{0}”", "there is no “{0}” to choose"),
        (r"Object missing required field `(\w+)`", "thiếu: {0}", "missing: {0}"),
        (r"Object contains unknown field `(\w+)`", "không có khóa `{0}`", "no such key: `{0}`"),
        (r"the id is taken by another step", "mã trùng với bước khác", "another step has this id"),
        (r"the id is taken by another field", "mã trùng với mục khác", "another field has this id"),
        (
            r"'(.*)' is no time limit; .*",
            "“{0}” không phải thời hạn; ví dụ: 30 min, 72 h, 3 days, 2 working days, "
            "4 working hours",
            "“{0}” is no time limit; write for example 30 min, 72 h, 3 days, 2 working days, "
            "4 working hours",
        ),
        (
            r"'(.*)' leaves no time: .*",
            "“{0}” không còn thời gian: thời hạn phải lớn hơn 0",
            "“{0}” leaves no time: a limit is more than 0",
        ),
        (
            r"'(.*)': days are whole; .*",
            "“{0}”: ngày và ngày làm việc là số nguyên; nửa ngày thì ghi 4 working hours",
            "“{0}”: days are whole; for half a day write 4 working hours",
        ),
        (
            r"pause, escalate and limit_source need a limit",
            "tạm dừng, báo quá hạn và căn cứ cần có thời hạn",
            "pauses, escalation and a source need a time limit",
        ),
        (
            r"a number needs its unit .*",
            "số cần có đơn vị (C62: số đếm)",
            "a number needs its unit (C62 for a bare count)",
        ),
        (
            r"unit, least and most belong to numbers",
            "đơn vị, nhỏ nhất, lớn nhất chỉ dùng cho số",
            "unit, least and most belong to numbers",
        ),
        (r"least is larger than most", "nhỏ nhất lớn hơn lớn nhất", "least is larger than most"),
        (
            r"give at least two, each with an id of its own",
            "cần ít nhất hai, mỗi lựa chọn một mã riêng",
            "give at least two, each with an id of its own",
        ),
        (
            r"choices belong to the kind choice",
            "chỉ kiểu lựa chọn mới có các lựa chọn",
            "choices belong to the kind choice",
        ),
        (
            r"minutes or hours, not days",
            "tính bằng phút hoặc giờ, không bằng ngày",
            "minutes or hours, not days",
        ),
        (
            r"each level comes after the one before",
            "mỗi cấp phải sau cấp trước",
            "each level comes after the one before",
        ),
        (
            r"a test needs the field that it looks at",
            "so sánh cần mục để xem",
            "a test needs the field that it looks at",
        ),
        (
            r"the step has no such field",
            "bước không có mục này",
            "the step has no such field",
        ),
        (r"give one test of (.*)", "cần đúng một phép so sánh: {0}", "give one test of {0}"),
        (
            r"an uploaded file cannot be tested",
            "không so sánh được tệp đính kèm",
            "an uploaded file cannot be tested",
        ),
        (
            r"(at_least|below) needs a number, this is (\w+)",
            "{0} cần số, đây là {1}",
            "{0} needs a number, this is {1}",
        ),
        (
            r"\[(.*)\] are none of its choices",
            "{0} không có trong các lựa chọn",
            "{0} are none of its choices",
        ),
        (
            r"any_of needs a choice, this is (\w+)",
            "any_of cần kiểu lựa chọn, đây là {0}",
            "any_of needs a choice, this is {0}",
        ),
        (r"there is no step '(.*)'", "không có bước “{0}”", "there is no step “{0}”"),
        (
            r"no way leads to it from '(.*)'",
            "không có đường nào từ “{0}” dẫn đến bước này",
            "no way leads to it from “{0}”",
        ),
        (
            r"the one without a test must be the last",
            "nhánh “luôn luôn” phải đứng cuối",
            "the branch without a test must be the last",
        ),
        (
            r"the steps lead back to it \((.*)\)",
            "các bước quay lại chính nó ({0})",
            "the steps lead back to it ({0})",
        ),
        (
            r"(.*) \(at line (\d+), column (\d+)\)",
            "dòng {1}, cột {2} không đúng cú pháp TOML ({0})",
            "line {1}, column {2} is no TOML ({0})",
        ),
        (
            r"(.*) \(at end of document\)",
            "cuối tệp không đúng cú pháp TOML ({0})",
            "the end of the file is no TOML ({0})",
        ),
        (
            r"did you mean `(\w+)`\? (docs\S+) lists every key",
            "có phải là `{0}`? Mọi khóa: {1}",
            "did you mean `{0}`? {1} lists every key",
        ),
        (
            r"add the key; (docs\S+) says what it means",
            "thêm khóa đó; ý nghĩa: {0}",
            "add the key; {0} says what it means",
        ),
        (r"(docs\S+) lists every key", "Mọi khóa: {0}", "{0} lists every key"),
    )
]


def words_of(said: str) -> Words:
    """The detail or remedy of a problem of `decode_procedure`: first where, then what.

    What nobody has put into words yet stays as the decoder says it.
    """
    places, rest = [], said
    while found := _PLACE.match(rest):
        places.append(found)
        rest = rest[found.end() :]
        if rest.startswith(": "):
            rest = rest[2:]
            break
        rest = rest.removeprefix(", ")
    vi, en = (_what(rest, language) for language in (0, 1))
    if places:
        vi, en = (
            f"{', '.join(_place(one, language) for one in places)}: {what}"
            for language, what in enumerate((vi, en))
        )
    return Words(vi[:1].upper() + vi[1:], en[:1].upper() + en[1:])


def _place(found: re.Match[str], language: int) -> str:
    if key := found["key"]:
        return _KEYS[key][language] if key in _KEYS else f"`{key}`"
    part = _PARTS[found["part"]][language]
    if found["id"] is not None:
        return f"{part} “{found['id']}”"
    return f"{part} {'thứ ' if language == 0 else 'no. '}{found['no']}"


def _what(said: str, language: int) -> str:
    for pattern, *told in _SAID:
        if found := pattern.fullmatch(said):
            return told[language].format(*(_type(one, language) for one in found.groups()))
    return said


def _type(text: str, language: int) -> str:
    """`int | null` -> a whole number."""
    first = text.partition(" | ")[0]
    return _TYPES[first][language] if first in _TYPES else text
