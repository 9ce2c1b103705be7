{#- See unsound_versions in macros/history/soundness.sql, which each build asks of the keys that it touches. -#}
{% test history_is_sound(model, key) %}

{{ unsound_versions(model, key) }}

{% endtest %}
