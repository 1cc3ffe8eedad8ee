"""The colours of all figures: few, apart for any colour vision, on white with dark ink."""

INK, FAINT, LINE = "#1f2933", "#5c6b7a", "#d5dce3"
PRESENT, UNSURE, ABSENT = "#007a5e", "#c77700", "#9aa7b4"
