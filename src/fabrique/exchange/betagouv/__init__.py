"""Product sheets of beta.gouv.fr: a folder of them, or the public API's startups.json.

The folder holds _startups/*.md, _incubators/*.md and _organisations/*.md, each with YAML at its head.

Real sheets are dirty; what was put right is reported as repaired, what cannot be is refused with its file, key and reason. An import
changes what its source tells otherwise than last time, and never what people wrote or decided here: see `portfolio.sheet.merge`.

Where each key goes (that of the API in brackets where it has another name):

- title (name) → name; mission (pitch) → pitch; incubator, else the first of incubators → incubator; sponsors → sponsors;
- link, repository, stats_url, impact_url, budget_url, dashlord_url, analyse_risques_url → the links of those names;
- usertypes → audiences; thematiques → themes; techno (technos) → technologies; accessibility_status → accessibility;
- stats, analyse_risques, mon_service_securise → the qualities public_statistics, risk_analysis, mon_service_securise, each from its own
  key alone. `stats: true` without stats_url also means the page /stats of the site: beta.gouv.fr's own API reads it so;
- phases → stays; events → events.

Left out on purpose: contact and mailing_list (people's addresses), the prose under the sheet (content_url_encoded_markdown), robots and
redirect_from (matters of their site), fast and rgpd (older sheets; amounts without a date, answers without a form), a phase's comment
(what was decided is a review's to say), domaine_ministeriel of organisations. A key that nobody knows is reported.

The API says less than the sheets: no usertypes, no answers “no”. What an entry of it does not mention stays as it was told before.
"""

from __future__ import annotations

from fabrique.exchange.betagouv.folder import FOLDERS
from fabrique.exchange.betagouv.running import FIELD_NAMES, import_betagouv

__all__ = ["FIELD_NAMES", "FOLDERS", "import_betagouv"]
