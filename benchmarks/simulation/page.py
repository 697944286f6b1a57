def printed(results):
    return str(len(results))
