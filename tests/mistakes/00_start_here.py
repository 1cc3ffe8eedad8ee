"""Plausible wrong answers of notebook 00."""

# %% 0.1 the first row of the table
most_probable = photo_report.findings[0].au


# %% 0.1 the highest threshold, not the highest probability
most_probable = max(photo_report.findings, key=lambda finding: finding.threshold).au


# %% 0.1 the probability, not the number of the AU
most_probable = photo_report.top(1)[0].probability


# %% 0.2 the onset
apex = photo_report.top(1)[0].onset_s


# %% 0.2 how long it rises, not when it is strongest
apex = photo_report.top(1)[0].apex_s - photo_report.top(1)[0].onset_s


# %% 0.3 the mean of the phases, not their sum
largest = (best, added[best] / 2)


# %% 0.3 the zone that speaks most against it
largest = min(added.items(), key=lambda total: total[1])


# %% 0.3 a share instead of what was added
largest = (best, added[best] / sum(added.values()))


# %% 0.4 the last size at which it is still missed
least = [pixels for pixels in steps if verdicts[pixels] != "present"][-1]


# %% 0.4 the largest size, at which it is surely seen
least = max(pixels for pixels in steps if verdicts[pixels] == "present")


# %% 0.4 the place in the list, not the pixels
least = next(n for n, pixels in enumerate(steps) if verdicts[pixels] == "present")
