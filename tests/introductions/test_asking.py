"""Asked, promised, made, in touch, met, thanked; declined; let go; and never silent."""

import uuid
from datetime import date, timedelta

import pytest

from contacts.models import Contact
from followups import pursuing, undoing
from followups.drafts import draft_for
from followups.models import Action, Ending, FollowUp, Interaction, Outcome, State
from followups.planning import CannotDo
from giveback.models import GiveBack
from introductions import asking
from introductions.forms import looks_like_a_name
from introductions.models import Introduction, Stage
from introductions.steps import waiting
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import MONDAY, answer, attempt, picture

pytestmark = pytest.mark.django_db
FRIDAY = MONDAY + timedelta(days=4)


def ask(ruth, wanted="Ingrid Solberg", **more):
    return asking.ask(ruth, wanted, MONDAY, **more)


def standing(introduction):
    [row] = Introduction.objects.filter(pk=introduction.pk).standing()
    return row


def follow_up_of(contact, slug):
    return FollowUp.objects.get(contact=contact, playbook__slug=slug)


def steps_of(user):
    return [step.sentence for step in waiting(user)]


def undo(action):
    return undoing.undo(Action.objects.get(pk=action.pk))


# Asked


def test_asking_begins_to_ask_the_introducer(alice, ruth):
    introduction = ask(ruth, why="She plans grids", ask="how her team forecasts load")
    follow_up = follow_up_of(ruth, "introduction-asked")
    assert (introduction.stage, introduction.asked_on) == (Stage.ASKED, MONDAY)
    assert follow_up.purpose == "an introduction to Ingrid Solberg"
    draft = draft_for(follow_up, alice)
    assert draft.subject == "Could you introduce me to Ingrid Solberg?"
    for words in ("She plans grids.", "how her team forecasts load.", "a short no is completely"):
        assert words in draft.body
    assert standing(introduction).is_pursued
    assert steps_of(alice) == []


def test_the_lines_to_forward_are_ones_own(alice, ruth):
    ask(ruth, blurb="Alice taught chemistry for ten years.")
    body = draft_for(follow_up_of(ruth, "introduction-asked"), alice).body
    assert body.endswith("Alice taught chemistry for ten years.")


def test_who_was_asked_face_to_face_is_asked_again_kindly(ruth):
    ask(ruth, spoken=True)
    follow_up = follow_up_of(ruth, "introduction-asked")
    assert (follow_up.step, follow_up.attempts) == (1, 0)
    assert follow_up.next_on == MONDAY + timedelta(days=7)  # five work days


def test_a_promise_with_a_date_is_waited_for_until_the_work_day_after(ruth):
    introduction = ask(ruth, until=FRIDAY)
    assert (introduction.stage, introduction.promised_on) == (Stage.PROMISED, MONDAY)
    follow_up = follow_up_of(ruth, "they-promised")
    assert (follow_up.next_on, follow_up.promised) == (MONDAY + timedelta(days=7), True)


def test_a_promise_without_a_date_is_waited_for_five_work_days(ruth):
    assert ask(ruth, agreed=True).stage == Stage.PROMISED
    assert follow_up_of(ruth, "they-promised").next_on == MONDAY + timedelta(days=7)


def test_the_same_form_twice_is_one_introduction(ruth):
    key = uuid.uuid4()
    assert ask(ruth, key=key) == ask(ruth, key=key)
    assert FollowUp.objects.count() == 1


def test_nobody_is_introduced_by_themselves(ruth):
    with pytest.raises(CannotDo, match="cannot be introduced by themselves"):
        ask(ruth, target=ruth)
    assert not Introduction.objects.exists()


def test_who_wants_no_contact_is_not_asked(ruth):
    pursuing.set_do_not_contact(ruth)
    with pytest.raises(CannotDo, match="do not contact"):
        ask(ruth)
    assert not Introduction.objects.exists()


def test_two_asked_of_one_person_share_a_follow_up_whose_draft_speaks_of_both(alice, ruth):
    ask(ruth, "Ingrid Solberg", blurb="About Ingrid.")
    ask(ruth, "Noor Saleh", blurb="About Noor.")
    draft = draft_for(follow_up_of(ruth, "introduction-asked"), alice)
    assert draft.subject == "Could you introduce me to Ingrid Solberg and Noor Saleh?"
    assert "About Ingrid.\n\n---\n\nAbout Noor." in draft.body


def test_asking_beside_something_is_undone_with_it(alice, ruth):
    main = attempt(ruth, outcome=Outcome.MET, channel="meeting")
    ask(ruth, beside=main)
    undo(main)
    assert not Introduction.objects.exists()
    assert not FollowUp.objects.exists()


def test_stalled_is_who_was_asked_and_is_due_for_a_kind_word(ruth, go_to):
    introduction = ask(ruth)
    assert not standing(introduction).is_stalled  # the first mail is not written yet
    attempt(ruth, channel="email", outcome="sent", to=follow_up_of(ruth, "introduction-asked"))
    assert not standing(introduction).is_stalled
    go_to(MONDAY + timedelta(days=7))
    assert standing(introduction).is_stalled


# An answer


def test_an_answer_elsewhere_asks_here_what_it_was(alice, ruth):
    ask(ruth)
    answer(ruth)
    [step] = waiting(alice)
    assert step.sentence == "Ruth answered. Did they promise to introduce you to Ingrid Solberg?"
    assert [choice.label for choice in step.choices] == [
        "Yes, promised",
        "It was made",
        "They said no",
    ]


def test_a_promise_ends_the_asking_and_is_waited_for(alice, ruth):
    introduction = ask(ruth)
    action = asking.promised(introduction, until=FRIDAY)
    introduction.refresh_from_db()
    assert (introduction.stage, introduction.promised_on) == (Stage.PROMISED, MONDAY)
    assert follow_up_of(ruth, "introduction-asked").ending == Ending.REPLIED
    assert follow_up_of(ruth, "they-promised").next_on == MONDAY + timedelta(days=7)
    assert steps_of(alice) == []
    undo(action)
    introduction.refresh_from_db()
    assert (introduction.stage, introduction.promised_on) == (Stage.ASKED, None)
    assert follow_up_of(ruth, "introduction-asked").state == State.ACTIVE
    assert not FollowUp.objects.filter(playbook__slug="they-promised").exists()


def test_the_answer_about_one_asks_what_came_of_the_other(alice, ruth):
    one, other = ask(ruth), ask(ruth, "Noor Saleh")
    asking.promised(one)
    assert steps_of(alice) == ["Ruth answered. Did they promise to introduce you to Noor Saleh?"]
    assert standing(one).is_pursued
    assert not standing(other).is_pursued


def test_a_no_ends_the_asking_and_nothing_else(alice, ruth):
    call = make_follow_up(ruth)
    introduction = ask(ruth)
    before = picture(ruth)
    action = asking.declined(introduction)
    introduction.refresh_from_db()
    assert (introduction.stage, introduction.ended_on) == (Stage.DECLINED, MONDAY)
    assert follow_up_of(ruth, "introduction-asked").ending == Ending.DECLINED
    call.refresh_from_db()
    assert call.state == State.ACTIVE
    ruth.refresh_from_db()
    assert ruth.last_interaction_on == MONDAY
    assert steps_of(alice) == []
    undo(action)
    assert [row["state"] for row in picture(ruth)["follow_ups"]] == [
        row["state"] for row in before["follow_ups"]
    ]
    introduction.refresh_from_db()
    assert introduction.stage == Stage.ASKED


def test_a_no_to_one_of_two_leaves_the_other_asked(alice, ruth):
    one, other = ask(ruth), ask(ruth, "Noor Saleh", blurb="About Noor.")
    asking.declined(one)
    follow_up = follow_up_of(ruth, "introduction-asked")
    assert follow_up.state == State.ACTIVE
    assert follow_up.purpose == "an introduction to Noor Saleh"
    assert draft_for(follow_up, alice).subject == "Could you introduce me to Noor Saleh?"
    assert standing(other).is_pursued


@pytest.mark.parametrize(
    ("first", "second"),
    [("Anna", "Ann"), ("Ann", "Anna"), ("Ann; Bob", "Ann"), ("somebody there", "somebody there")],
)
def test_one_of_two_that_sound_alike_leaves_the_other_asked(ruth, first, second):
    one, other = ask(ruth, first), ask(ruth, second)
    asking.declined(one)
    assert standing(other).is_pursued
    assert follow_up_of(ruth, "introduction-asked").purpose == f"an introduction to {second}"
    asking.declined(other)
    assert follow_up_of(ruth, "introduction-asked").ending == Ending.DECLINED


def test_letting_go_ends_the_asking(ruth):
    introduction = ask(ruth)
    action = asking.let_go(introduction)
    introduction.refresh_from_db()
    assert introduction.stage == Stage.LET_GO
    assert follow_up_of(ruth, "introduction-asked").ending == Ending.LET_GO
    with pytest.raises(CannotDo, match="over already"):
        asking.let_go(introduction)
    undo(action)
    assert follow_up_of(ruth, "introduction-asked").state == State.ACTIVE


def test_an_open_promise_of_something_else_outlives_the_introduction(ruth):
    playbook = pursuing.playbook_for(ruth.owner, "they-promised")
    pursuing.begin(ruth, playbook, purpose="the report")
    introduction = ask(ruth, agreed=True)
    asking.let_go(introduction)
    follow_up = follow_up_of(ruth, "they-promised")
    assert (follow_up.state, follow_up.purpose) == (State.ACTIVE, "the report")


# Made


def make(introduction, target, **more):
    return asking.made(introduction, target, MONDAY, **more)


def test_when_it_is_made_everything_that_follows_begins(alice, ruth, ingrid):
    introduction = ask(ruth, "somebody in grid planning", ask="how she forecasts load")
    action = make(introduction, ingrid, note="You two should talk.")
    introduction.refresh_from_db()
    ingrid.refresh_from_db()
    assert (introduction.stage, introduction.made_on) == (Stage.MADE, MONDAY)
    assert (introduction.target, introduction.wanted) == (ingrid, "Ingrid Solberg")
    assert introduction.why == "somebody in grid planning"
    assert introduction.interaction == action.interaction
    assert action.interaction.note == "You two should talk."
    assert (ingrid.introduced_by, ingrid.how_met) == (ruth, "Introduced by Ruth Abernathy")
    assert follow_up_of(ruth, "introduction-asked").ending == Ending.REPLIED
    introduced = follow_up_of(ingrid, "introduced")
    assert (introduced.state, introduced.purpose) == (State.ACTIVE, "how she forecasts load")
    assert "move them to bcc" in introduced.present.hint
    assert Interaction.objects.get(contact=ingrid).outcome == Outcome.INTRODUCED
    gift = GiveBack.objects.get()
    assert (gift.contact, gift.direction, gift.kind) == (ruth, "received", "connection")
    assert steps_of(alice) == []


def test_being_introduced_is_no_conversation_yet(ruth, ingrid):
    make(ask(ruth), ingrid)
    ingrid.refresh_from_db()
    assert ingrid.last_interaction_on is None


def test_what_is_known_of_how_one_met_stays(ruth, ingrid, daniel):
    Contact.objects.filter(pk=ingrid.pk).update(introduced_by=daniel, how_met="at a talk")
    ingrid.refresh_from_db()
    make(ask(ruth), ingrid)
    ingrid.refresh_from_db()
    assert (ingrid.introduced_by, ingrid.how_met) == (daniel, "at a talk")


def test_one_undo_takes_all_of_it_back_and_the_person_stays(alice, ruth, ingrid):
    introduction = ask(ruth, "somebody in grid planning")
    before = [picture(ruth)["follow_ups"], picture(ingrid)]
    undo(make(introduction, ingrid))
    introduction.refresh_from_db()
    assert (introduction.stage, introduction.target) == (Stage.ASKED, None)
    assert (introduction.wanted, introduction.why) == ("somebody in grid planning", "")
    assert introduction.interaction is None
    assert not GiveBack.objects.exists()
    after = [picture(ruth)["follow_ups"], picture(ingrid)]
    for picture_of in (before[1], after[1]):
        picture_of["contact"][0].pop("updated_at")
    assert after == before
    assert standing(introduction).is_pursued


def test_undo_leaves_what_happened_with_the_person_since(ruth, ingrid):
    action = make(ask(ruth), ingrid)
    answer(ingrid)
    undo(action)
    assert follow_up_of(ingrid, "introduced").ending == Ending.REPLIED


def test_it_is_made_once(ruth, ingrid):
    introduction, key = ask(ruth), uuid.uuid4()
    assert make(introduction, ingrid, key=key) == make(introduction, ingrid, key=key)
    with pytest.raises(CannotDo, match="made already"):
        make(introduction, ingrid)
    assert FollowUp.objects.filter(contact=ingrid).count() == 1


def test_somebody_who_wants_no_contact_cannot_be_made_a_target(ruth, ingrid):
    pursuing.set_do_not_contact(ingrid)
    introduction = ask(ruth)
    with pytest.raises(CannotDo, match="do not contact"):
        make(introduction, ingrid)
    introduction.refresh_from_db()
    assert introduction.stage == Stage.ASKED
    assert follow_up_of(ruth, "introduction-asked").state == State.ACTIVE


# In touch, met, thanked


@pytest.fixture
def introduced(ruth, ingrid):
    introduction = ask(ruth)
    make(introduction, ingrid)
    introduction.refresh_from_db()
    return introduction


def test_in_touch_and_met_are_read_from_what_happened_since(introduced, ingrid, go_to):
    Interaction.objects.create(
        owner=ingrid.owner, contact=ingrid, outcome="met", on=MONDAY - timedelta(days=30)
    )
    assert (standing(introduced).in_touch_on, standing(introduced).met_on) == (None, None)
    go_to("2026-11-12")
    answer(ingrid, outcome=Outcome.REPLIED, channel="email", direction="in")
    go_to("2026-11-17")
    met = answer(ingrid, outcome=Outcome.MET, channel="meeting")
    row = standing(introduced)
    assert (row.in_touch_on, row.met_on) == (date(2026, 11, 12), date(2026, 11, 17))
    assert [words for words, _, place in row.path if place == "here"] == ["Met"]
    undo(met)
    assert standing(introduced).met_on is None


def test_the_introducer_is_told_once_there_is_something_to_tell(alice, introduced, ingrid):
    assert steps_of(alice) == []
    answer(ingrid)
    [step] = waiting(alice)
    assert step.sentence == "You are in touch with Ingrid Solberg, through Ruth."
    assert step.label == "Tell Ruth how it went"


def test_the_introducer_is_told_too_when_it_came_to_nothing(alice, introduced, ingrid):
    pursuing.rest(follow_up_of(ingrid, "introduced"))
    assert steps_of(alice) == ["Ruth introduced you to Ingrid Solberg, and that is at rest now."]


def test_thanks_end_it_and_are_no_try(alice, introduced, ruth, ingrid):
    answer(ingrid)
    action = asking.thanked(introduced)
    introduced.refresh_from_db()
    assert (introduced.stage, introduced.thanked_on) == (Stage.THANKED, MONDAY)
    assert steps_of(alice) == []
    assert not FollowUp.objects.open().filter(contact=ruth).exists()
    undo(action)
    assert len(steps_of(alice)) == 1


def test_there_are_no_thanks_before_it_is_made(ruth):
    with pytest.raises(CannotDo, match="nothing to tell yet"):
        asking.thanked(ask(ruth))


def test_a_person_who_is_deleted_leaves_the_introduction_waiting(alice, introduced, ingrid):
    ingrid.delete()
    assert steps_of(alice) == ["Ruth introduced you to Ingrid Solberg, and that is at rest now."]


def test_the_steps_cost_as_many_queries_for_3_as_for_30(alice, django_assert_num_queries):
    def ask_many(count):
        for n in range(count):
            person = make_contact(alice, f"Person {n}")
            asking.ask(person, "Somebody", MONDAY)
            answer(person)

    ask_many(3)
    with django_assert_num_queries(4):
        assert len(waiting(alice)) == 3
    ask_many(27)
    with django_assert_num_queries(4):
        assert len(waiting(alice)) == 30


@pytest.mark.parametrize(
    ("words", "is_name"),
    [
        ("Priya Raman", True),
        ("Łukasz", True),
        ("somebody in grid planning at Aster", False),
        ("Somebody in research", False),
        ("The People Who Decide At Aster", False),
    ],
)
def test_only_a_name_is_offered_as_the_name_of_whom_one_was_introduced_to(words, is_name):
    assert looks_like_a_name(words) is is_name
