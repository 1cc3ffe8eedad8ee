"""Plausible wrong answers of notebook 10."""

# %% 10.1 the first block only
def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read(1 << 20)).hexdigest()


# %% 10.1 the name, not the contents
def sha256_of(path):
    return hashlib.sha256(str(path).encode()).hexdigest()


# %% 10.1 another hash
def sha256_of(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


# %% 10.1 raw bytes, not their digits
def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).digest()


# %% 10.2 split wherever three dashes stand
def front_matter(text):
    import yaml

    return yaml.safe_load(text.split("---")[1])


# %% 10.2 everything up to the last line of dashes
def front_matter(text):
    import yaml

    return yaml.safe_load(text[4 : text.rindex("---\n")])


# %% 10.2 read by hand, line by line
def front_matter(text):
    lines = text.split("---\n", 2)[1].splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


# %% 10.3 all patterns must fit
def allowed(names, patterns):
    from fnmatch import fnmatch

    return [name for name in names if all(fnmatch(name, pattern) for pattern in patterns)]


# %% 10.3 a part of the name is enough
def allowed(names, patterns):
    return [name for name in names if any(pattern.strip("*") in name for pattern in patterns)]


# %% 10.3 what may not go
def allowed(names, patterns):
    from fnmatch import fnmatch

    return [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)]


# %% 10.4 only what is present
def bars(report):
    return {finding.label: finding.probability for finding in report.with_verdict("present")}


# %% 10.4 the threshold, not the probability
def bars(report):
    return {finding.label: finding.threshold for finding in report.findings}


# %% 10.4 the name without its number
def bars(report):
    return {finding.name: finding.probability for finding in report.findings}
