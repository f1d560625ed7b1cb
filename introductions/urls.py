from django.urls import path

from introductions import offer_views, views

app_name = "introductions"
urlpatterns = [
    path("", views.introduction_list, name="introduction_list"),
    path("new/", views.introduction_new, name="introduction_new"),
    path("<int:introduction_id>/", views.introduction, name="introduction"),
    path("<int:introduction_id>/edit/", views.introduction_edit, name="introduction_edit"),
    path(
        "<int:introduction_id>/promised/", views.introduction_promised, name="introduction_promised"
    ),
    path("<int:introduction_id>/made/", views.introduction_made, name="introduction_made"),
    path(
        "<int:introduction_id>/declined/", views.introduction_declined, name="introduction_declined"
    ),
    path("<int:introduction_id>/thanked/", views.introduction_thanked, name="introduction_thanked"),
    path("<int:introduction_id>/let-go/", views.introduction_let_go, name="introduction_let_go"),
    path("chain/<int:contact_id>/", views.chain, name="chain"),
    path("offers/new/", offer_views.offer_new, name="offer_new"),
    path("offers/<int:offer_id>/", offer_views.offer, name="offer"),
    path("offers/<int:offer_id>/edit/", offer_views.offer_edit, name="offer_edit"),
    path("offers/<int:offer_id>/ask/", offer_views.offer_ask, name="offer_ask"),
    path("offers/<int:offer_id>/answer/", offer_views.offer_answer, name="offer_answer"),
    path("offers/<int:offer_id>/told/", offer_views.offer_told, name="offer_told"),
    path("offers/<int:offer_id>/made/", offer_views.offer_made, name="offer_made"),
    path("offers/<int:offer_id>/let-go/", offer_views.offer_let_go, name="offer_let_go"),
]
