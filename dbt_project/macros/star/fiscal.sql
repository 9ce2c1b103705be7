{#-
    The fiscal year of the contracts, from `config: meta:` of their sources; none when no dataset has one, or when
    datasets have different ones: a day has one fiscal period then as little as one name.
-#}
{% macro fiscal_calendar(tell=false) %}
    {% set found, datasets = [], [] %}
    {% for source in (graph.sources.values() if execute else []) | sort(attribute='name') %}
        {% set calendar = (source.config.get('meta') or source.get('meta') or {}).get('fiscal_year') %}
        {% if calendar %}
            {% do datasets.append(source.name) %}
            {% if calendar not in found %}
                {% do found.append(calendar) %}
            {% endif %}
        {% endif %}
    {% endfor %}
    {% if tell and found | length > 1 %}
        {% do log(datasets | join(', ') ~ ' have different fiscal years, so that the calendar has none', info=true) %}
    {% endif %}
    {{ return(found[0] if found | length == 1 else none) }}
{% endmacro %}

{#- The columns of the calendar that a fiscal year adds, each with a comma behind it; nothing without one. -#}
{% macro fiscal_columns(unknown=false) %}
    {% if fiscal_calendar() and unknown -%}
        cast(null as varchar(6)) as fiscal_year,
        cast(null as varchar(10)) as fiscal_period,
    {%- elif fiscal_calendar() -%}
        fiscal_days.fiscal_year,
        fiscal_days.fiscal_period,
    {%- endif %}
{% endmacro %}

{#- Joins them to the days of a relation; see `fiscal_days`. -#}
{% macro join_fiscal_days(relation) %}
    {% set calendar = fiscal_calendar(tell=true) %}
    {% if calendar -%}
        inner join ({{ fiscal_days(relation, calendar) }}) as fiscal_days
            on {{ relation }}.date_day = fiscal_days.of_day
    {%- endif %}
{% endmacro %}

{#-
    The fiscal year and period of each day (`of_day`), as periods of a dataset of grain `fiscal` are called: FY2025,
    FY2025-P03. The relation has whole years of days, with `date_day`, `calendar_year`, `month_of_year`, `day_of_month`.
-#}
{% macro fiscal_days(relation, calendar) %}
    {% set named_later = 1 if calendar.get('named_by') == 'end' and calendar.first_month != 1 else 0 %}
    select
        of_day,
        {{ dbt.concat(["'FY'", 'cast(fiscal_number as varchar(4))']) }} as fiscal_year,
        {{ dbt.concat([
            "'FY'", 'cast(fiscal_number as varchar(4))', "'-P'",
            "case when period_number < 10 then '0' else '' end", 'cast(period_number as varchar(2))'
        ]) }} as fiscal_period
    from (
        {% if calendar.periods == 'months' %}
            select
                date_day as of_day,
                calendar_year + {{ named_later }}
                - case when month_of_year < {{ calendar.first_month }} then 1 else 0 end as fiscal_number,
                month_of_year - {{ calendar.first_month - 1 }}
                + case when month_of_year < {{ calendar.first_month }} then 12 else 0 end as period_number
            from {{ relation }}
        {% else %}
            {{ _days_of_weeks(relation, calendar, named_later) }}
        {% endif %}
    ) as numbered_days
{% endmacro %}

{% macro _days_of_weeks(relation, calendar, named_later) %}
    {% set quarters = {'4-4-5': [4, 4, 5], '4-5-4': [4, 5, 4], '5-4-4': [5, 4, 4]} %}
    {% set weeks = [4] * 13 if calendar.periods == '13x4' else quarters[calendar.periods] * 4 %}
    {% set longer_from = calendar.get('extra_week_in') or weeks | length %}
    select
        of_day,
        fiscal_number,
        case
            {% for _ in weeks[:-1] %}
                when day_number < {{ 7 * weeks[: loop.index] | sum }}{{ ' + more_days' if loop.index >= longer_from }}
                    then {{ loop.index }}
            {% endfor %}
            else {{ weeks | length }}
        end as period_number
    from (
        select
            days.date_day as of_day,
            years.begins_in + {{ named_later }} as fiscal_number,
            {{ dbt.datediff('years.started_on', 'days.date_day', 'day') }} as day_number,
            {{ dbt.datediff('years.started_on', 'years.next_started_on', 'day') }} - 364 as more_days
        from {{ relation }} as days
        inner join (
            select
                begins_in,
                started_on,
                lead(started_on) over (order by started_on) as next_started_on
            from ({{ _starts_of_weeks(relation, calendar) }}) as starts
        ) as years
            on days.date_day >= years.started_on and days.date_day < years.next_started_on
    ) as days_of_years
{% endmacro %}

{#-
    The first day of each year of weeks: that after the day of the week on which the year before ends. One that begins
    with January may begin some days before it, so that two are needed after the last year of the days.
-#}
{% macro _starts_of_weeks(relation, calendar) %}
    {% set weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] %}
    {% set since = '(' ~ date_part('isodow', 'around_day') ~ ' + ' ~ (6 - weekdays.index(calendar.ends_on)) ~ ') % 7' %}
    select
        begins_in,
        cast({{ dbt.dateadd('day', '1 - ' ~ since, 'around_day') }} as date) as started_on
    from (
        {% for years in [-1, 0, 1, 2] %}
            {% set first = dbt.dateadd('month', 12 * years + calendar.first_month - 1, 'date_day') %}
            select
                calendar_year + {{ years }} as begins_in,
                cast({{ dbt.dateadd('day', -1 if calendar.end_is == 'last' else 2, first) }} as date) as around_day
            from {{ relation }}
            where month_of_year = 1 and day_of_month = 1
            {{ 'union' if not loop.last }}
        {% endfor %}
    ) as ends
{% endmacro %}
