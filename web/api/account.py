"""Who is calling, and bearer tokens for programs."""

from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from gridmgr.account import service
from gridmgr.account.model import Role
from gridmgr.account.rules import PERMISSIONS, Actor, can
from web.api.headers import made
from web.api.schema import router
from web.deps import Allow, Open, Transaction, form_secret, known_actor
from web.fields import Line, RowId, Utc, text
from web.login import prove
from web.once import keyless

routes = router("account")


class GrantOut(BaseModel):
    """A role on every unit whose code begins with `code`; the empty code is the whole district."""

    role: Role
    code: str = Field(examples=["510106001"])


class Me(BaseModel):
    """Who is calling, and what that person may do."""

    username: str = Field(examples=["wang"])
    name: str = Field(examples=["王芳"])
    language: str | None = Field(examples=["zh"])
    grants: list[GrantOut]
    scope: list[str] = Field(description="Code prefixes this person sees.", examples=[["510106001"]])
    permissions: list[str] = Field(examples=[["grid.view", "incident.view"]])


class TokenRequest(BaseModel):
    """What to issue; a program without a session proves itself by user name and password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "nightly export", "days": 90, "username": "wang", "password": "…"}]
        }
    )

    name: Line = Field(description="What the token is for.", examples=["nightly export"])
    days: int | None = Field(365, ge=1, le=3650, description="Days until it ends; null for never.")
    username: text(64, 1) | None = Field(None, examples=["wang"])
    password: Annotated[SecretStr, Field(max_length=256)] | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> "TokenRequest":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class TokenOut(BaseModel):
    """A new token; `token` is shown this once and stored nowhere."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["nightly export"])
    token: str = Field(examples=["gm_Yk3…"])
    expires_at: Utc | None


@routes.get("/me")
def me(actor: Annotated[Actor, Depends(Allow("account.self"))]) -> Me:
    """Say who is calling, with roles, scope and permissions."""
    return Me(
        username=actor.username,
        name=actor.name,
        language=actor.language,
        grants=[GrantOut(role=grant.role, code=grant.code) for grant in actor.grants],
        scope=list(actor.scope),
        permissions=[action for action in PERMISSIONS if can(actor, action)],
    )


@routes.post(
    "/tokens",
    status_code=201,
    responses=made("token_id", "id", "revokeToken", located=False),
    dependencies=[Depends(Open("a program gets its token by user name and password in the body"))],
)
@keyless("its secret is shown once and kept nowhere")
def issue_token(
    asked: TokenRequest,
    request: Request,
    session: Transaction,
    given: Annotated[str, Depends(form_secret)],
) -> TokenOut:
    """Issue a bearer token to the caller's own account.

    The caller is whoever `username` and `password` prove, else the owner of the session or token that
    comes with the request. Failed attempts are counted by name and by network address.
    """
    if asked.username is not None:
        actor = prove(request, asked.username, asked.password.get_secret_value())
    else:
        actor = known_actor(request, session, given)
    secret, token = service.issue_token(session, actor, asked.name, asked.days)
    return TokenOut(id=token.id, name=token.name, token=secret, expires_at=token.expires_at)


@routes.delete("/tokens/{token_id}", status_code=204)
def revoke_token(
    token_id: RowId, session: Transaction, actor: Annotated[Actor, Depends(Allow("account.self"))]
) -> Response:
    """Take back a token of the caller's own; one that is gone already is no fault."""
    service.revoke_token(session, actor, token_id)
    return Response(status_code=204)
