"""The Mailbox page: one's own mails of a personal copy of netcrm, read from their files."""

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, mailers
from django.urls import reverse

from netcrm import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.PERSONAL, settings.MAIL_URL, settings.MAIL_DIR = True, "", tmp_path / "mail"
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": settings.MAIL_DIR},
        }
    }
    return settings.MAIL_DIR


def letter(to, subject="Priya’s third try is today", day=19, text="Look: https://a.example/x"):
    message = EmailMultiAlternatives(subject, text, to=[to])
    message.extra_headers["Date"] = f"Thu, {day} Nov 2026 07:00:00 +0100"
    message.attach_alternative("<style>p{color:red}</style><p>In HTML</p>", "text/html")
    return message


def send(*messages):
    mailers.default.send_messages(messages)


def only_id(user):
    [found] = mailbox.letters_to(user)
    return found.id


def pages(mail_id):
    names = ("netcrm:mailbox_mail", "netcrm:mailbox_html")
    return [reverse(name, args=[mail_id]) for name in names]


def test_own_mails_newest_first(alice, alice_client):
    with mailers.default as connection:  # one connection, one file
        connection.send_messages([letter("alice@example.org", "Older", 18)])
        connection.send_messages([letter("Alice@Example.org", "Newer", 20)])
        connection.send_messages([letter("bob@example.org", "For Bob", 19)])
    send(letter("alice@example.org", "Between", 19))
    html = alice_client.get("/mailbox/").content.decode()
    assert html.index("Newer") < html.index("Between") < html.index("Older")
    assert "For Bob" not in html
    assert "Fri 20 Nov" in html


def test_no_folder_yet(alice_client):
    assert "No letters yet." in alice_client.get("/mailbox/").content.decode()


def test_the_text_with_links_to_follow(alice, alice_client):
    send(letter("alice@example.org", text="<b>Look</b>: https://a.example/x\n\nBye"))
    html = alice_client.get(pages(only_id(alice))[0]).content.decode()
    assert '<a href="https://a.example/x" rel="nofollow">' in html
    assert "&lt;b&gt;Look&lt;/b&gt;" in html
    assert "Priya’s third try is today" in html


def test_the_html_part_may_do_nothing_but_look_good(alice, alice_client):
    send(letter("alice@example.org"))
    page = alice_client.get(pages(only_id(alice))[1])
    assert page.content.decode().strip() == "<style>p{color:red}</style><p>In HTML</p>"
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups allow-top-navigation-by-user-activation" in policy


def test_a_mail_of_text_only(alice, alice_client):
    send(EmailMessage("Reset", "Choose a new password.", to=["alice@example.org"]))
    text_page, html_page = pages(only_id(alice))
    assert "Open as in a mail program" not in alice_client.get(text_page).content.decode()
    assert alice_client.get(html_page).status_code == 404


def test_nobody_reads_anybody_else_s(alice, bob_client):
    send(letter("alice@example.org"))
    for page in pages(only_id(alice)):
        assert bob_client.get(page).status_code == 404


@pytest.mark.parametrize("mail_id", ["x", "..", "%2e%2e%2fsettings.py", "a" * 300])
def test_no_such_mail(alice_client, mail_id):
    assert alice_client.get(f"/mailbox/{mail_id}/").status_code == 404


def test_files_of_any_shape_do_not_break_the_page(alice, alice_client, folder):
    send(letter("alice@example.org"))
    odd = [b"", b"\xff\xfe\x00", b"To: \n\n", b"Date: never\nTo: alice@example.org\n\nx"]
    for number, content in enumerate(odd):
        (folder / f"odd-{number}.log").write_bytes(content)
    html = alice_client.get("/mailbox/").content.decode()
    assert "Priya’s third try is today" in html
    assert "No subject" in html


@pytest.mark.parametrize("closed", [{"PERSONAL": False}, {"MAIL_URL": "smtp://mail.example"}])
def test_only_on_a_personal_machine_without_real_mail(alice, alice_client, settings, closed):
    send(letter("alice@example.org"))
    mail_id = only_id(alice)
    for name, value in closed.items():
        setattr(settings, name, value)
    for page in ["/mailbox/", *pages(mail_id)]:
        assert alice_client.get(page).status_code == 404


def test_reading_only(alice, alice_client, client):
    send(letter("alice@example.org"))
    for page in ["/mailbox/", *pages(only_id(alice))]:
        assert alice_client.post(page).status_code == 405
        assert client.get(page).status_code == 302
