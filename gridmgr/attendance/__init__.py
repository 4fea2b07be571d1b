"""How those a whistle calls come: their answers, report-ins with place and photo, ratings, and who stays away."""
