"""What is asked of GitHub's GraphQL API (docs.github.com/graphql, public schema)."""

from typing import Final

_LISTED: Final = "nameWithOwner isArchived isDisabled isEmpty defaultBranchRef { name target { oid } }"
_COMMIT: Final = "oid message committer { email user { login } }"

OWNER: Final = f"""\
query Owner($owner: String!, $after: String) {{
  repositoryOwner(login: $owner) {{
    repositories(first: 100, after: $after, ownerAffiliations: OWNER, orderBy: {{field: NAME, direction: ASC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_LISTED} }}
    }}
  }}
}}
"""

LOOK: Final = f"""\
query Look($owner: String!, $name: String!, $branch: String!, $head: String!, $base: String!, $after: String) {{
  viewer {{ login databaseId }}
  repository(owner: $owner, name: $name, followRenames: false) {{
    id
    branch: ref(qualifiedName: $head) {{ target {{ oid ... on Commit {{ {_COMMIT} }} }} }}
    base: ref(qualifiedName: $base) {{ target {{ oid }} }}
    pullRequests(headRefName: $branch, first: 50, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id number title body url state isCrossRepository headRefOid baseRefName mergeable
        labels(first: 100) {{ nodes {{ name }} }}
        autoMergeRequest {{ mergeMethod }}
        commits(last: 1) {{ nodes {{ commit {{ {_COMMIT} }} }} }}
      }}
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


def named(number: int) -> str:
    """Write a query for `number` repositories by name: r0 of the variables o0 and n0, and so on."""
    variables = ", ".join(f"$o{i}: String!, $n{i}: String!" for i in range(number))
    fields = "\n".join(f"  r{i}: repository(owner: $o{i}, name: $n{i}) {{ {_LISTED} }}" for i in range(number))
    return f"query Named({variables}) {{\n{fields}\n}}\n"


def modes(number: int) -> str:
    """Write a query for `number` files of a commit: f0 of the path p0, and so on."""
    variables = "".join(f", $p{i}: String!" for i in range(number))
    fields = "\n".join(f"        f{i}: file(path: $p{i}) {{ type mode }}" for i in range(number))
    return f"""\
query Modes($owner: String!, $name: String!, $commit: GitObjectID!{variables}) {{
  repository(owner: $owner, name: $name, followRenames: false) {{
    object(oid: $commit) {{
      ... on Commit {{
{fields}
      }}
    }}
  }}
}}
"""
