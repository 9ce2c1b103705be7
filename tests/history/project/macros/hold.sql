{#-
    Lets a test stop a build at a step: when HOLD names it, says so and goes no further. Jinja has no sleep, so it
    counts; the test kills the process long before it is through.
-#}
{% macro hold(step) %}
    {% if execute and env_var('HOLD', '') == this.identifier ~ ' ' ~ step %}
        {% do print('HOLDING') %}
        {% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}
    {% endif %}
{% endmacro %}
