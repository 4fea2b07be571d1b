-- Part of other statements: that whoever is `granted` a role stands in no roster for it that runs at the instant :at.
-- The roster of a seat runs from its first turn to the end of its last.

NOT EXISTS (
    SELECT FROM shift own
    WHERE own.account_id = granted.account_id AND own.role = granted.role
      AND EXISTS (SELECT FROM shift WHERE role = own.role AND code = own.code AND begins <= :at)
      AND EXISTS (SELECT FROM shift WHERE role = own.role AND code = own.code AND ends > :at))
