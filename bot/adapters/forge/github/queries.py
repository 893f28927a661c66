"""What is asked of GitHub's GraphQL API (docs.github.com/graphql, public schema)."""

from collections.abc import Sequence
from typing import Final

from bot.core.authorship import LAST

_BRANCHES: Final = """\
pageInfo { hasNextPage endCursor }
        nodes { prefix name associatedPullRequests(states: OPEN, first: 1) { nodes { createdAt } } }"""
_LISTED: Final = f"""\
nameWithOwner isArchived isDisabled isEmpty isFork visibility
      defaultBranchRef {{ name target {{ oid }} }}
      repositoryTopics(first: 20) {{ nodes {{ topic {{ name }} }} }}
      refs(refPrefix: "refs/heads/", query: $branches, first: 5) {{
        {_BRANCHES}
      }}"""
"""A repository has at most 20 topics; of our branches few are there, and each counts (see `OWNER`)."""
_HISTORY: Final = f"history(first: {LAST}) {{ nodes {{ committedDate message }} }}"
_COMMIT: Final = "oid message committer { email user { login } }"

OWNER: Final = f"""\
query Owner($owner: String!, $first: Int!, $after: String, $branches: String!) {{
  repositoryOwner(login: $owner) {{
    repositories(first: $first, after: $after, ownerAffiliations: OWNER, orderBy: {{field: NAME, direction: ASC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
      {_LISTED}
      }}
    }}
  }}
}}
"""
"""A page of 100 costs 7 points: one for each hundred connections that it may lead to (GitHub's rule)."""

OWN_BRANCHES: Final = f"""\
query OwnBranches($owner: String!, $name: String!, $after: String, $branches: String!) {{
  repository(owner: $owner, name: $name, followRenames: false) {{
    refs(refPrefix: "refs/heads/", query: $branches, first: 100, after: $after) {{
        {_BRANCHES}
    }}
  }}
}}
"""

COMPARE: Final = """\
query Compare($owner: String!, $name: String!, $base: String!, $head: String!) {
  repository(owner: $owner, name: $name, followRenames: false) {
    ref(qualifiedName: $base) { compare(headRef: $head) { aheadBy headTarget { oid } } }
  }
}
"""

COMMENTS: Final = """\
query Comments($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name, followRenames: false) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id body viewerDidAuthor }
      }
    }
  }
}
"""

COMMIT: Final = """\
mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}
"""

MOVE: Final = """\
mutation Move($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}
"""

AUTO_MERGE: Final = """\
mutation AutoMerge($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}
"""

UNCOMMENT: Final = """\
mutation Uncomment($input: DeleteIssueCommentInput!) {
  deleteIssueComment(input: $input) { clientMutationId }
}
"""

SELF: Final = """\
query Self {
  viewer { login }
  createCommitOnBranch: __type(name: "CreateCommitOnBranchInput") { name }
  updateRefs: __type(name: "UpdateRefsInput") { name }
}
"""


def look(*, checks: bool) -> str:
    """Write a query for a repository, two of its branches, and pull requests from one, with what their checks say."""
    rollup = " statusCheckRollup { state }" if checks else ""
    return f"""\
query Look($owner: String!, $name: String!, $branch: String!, $head: String!, $base: String!, $after: String) {{
  viewer {{ login databaseId }}
  repository(owner: $owner, name: $name, followRenames: false) {{
    id
    branch: ref(qualifiedName: $head) {{ target {{ oid ... on Commit {{ {_COMMIT} }} }} }}
    base: ref(qualifiedName: $base) {{ target {{ oid }} }}
    pullRequests(headRefName: $branch, first: 50, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id number title body url state mergedAt isCrossRepository headRefOid baseRefName mergeable
        labels(first: 100) {{ nodes {{ name }} }}
        autoMergeRequest {{ mergeMethod }}
        commits(last: 1) {{ nodes {{ commit {{ {_COMMIT}{rollup} }} }} }}
      }}
    }}
  }}
}}
"""


def named(number: int) -> str:
    """Write a query for `number` repositories by name: r0 of the variables o0 and n0, and so on."""
    fields = "\n".join(
        f"  r{i}: repository(owner: $o{i}, name: $n{i}) {{\n      {_LISTED}\n  }}" for i in range(number)
    )
    return f"query Named({_variables(number, 'o', 'n')}, $branches: String!) {{\n{fields}\n}}\n"


def folders(levels: Sequence[int]) -> str:
    """Write a query for folders by their object ids (or for commits by theirs), each down to so many levels.

    A commit also tells what its last commits say; for a hundred of them together that is one point more.

    The repository of the folder r0 is that of the variables o0 and n0, its id i0, and so on.
    """
    fields = "\n".join(
        _in_repository(
            i, f"object(oid: $i{i}) {{ ...Level{level} ... on Commit {{ tree {{ ...Level{level} }} {_HISTORY} }} }}"
        )
        for i, level in enumerate(levels)
    )
    parts = "\n".join(_level(level) for level in range(1, max(levels) + 1))
    return f"query Folders({_variables(len(levels), 'o', 'n', id='i')}) {{\n{fields}\n}}\n{parts}\n"


def files(number: int) -> str:
    """Write a query for `number` files by their object ids: r0 is $i0 in the repository of $o0 and $n0, and so on."""
    fields = "\n".join(
        _in_repository(i, f"object(oid: $i{i}) {{ ... on Blob {{ text isBinary isTruncated }} }}")
        for i in range(number)
    )
    return f"query Files({_variables(number, 'o', 'n', id='i')}) {{\n{fields}\n}}\n"


def places(number: int) -> str:
    """Write a query for `number` folders of one repository: p0 of the variable e0, such as COMMIT:FOLDER, and so on."""
    fields = "\n".join(
        f"    p{i}: object(expression: $e{i}) {{ ... on Tree {{ entries {{ name mode type }} }} }}"
        for i in range(number)
    )
    head = f"query Places($owner: String!, $name: String!, {_variables(number, 'e')})"
    return f"{head} {{\n  repository(owner: $owner, name: $name, followRenames: false) {{\n{fields}\n  }}\n}}\n"


def _in_repository(i: int, what: str) -> str:
    return f"  r{i}: repository(owner: $o{i}, name: $n{i}, followRenames: false) {{ {what} }}"


def _level(level: int) -> str:
    below = f" object {{ ...Level{level - 1} }}" if level > 1 else ""
    return f"fragment Level{level} on Tree {{ entries {{ name mode type oid size{below} }} }}"


def _variables(number: int, *texts: str, id: str = "") -> str:  # noqa: A002 (GitHub's own word)
    kinds = [*((name, "String!") for name in texts), *([(id, "GitObjectID!")] if id else [])]
    return ", ".join(f"${name}{i}: {kind}" for i in range(number) for name, kind in kinds)
