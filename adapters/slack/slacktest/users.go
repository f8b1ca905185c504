package slacktest

import "slices"

// wire is a user as the API shows them: the address only with the scope users:read.email.
func (t *Team) wire(u *User) object {
	profile := object{"display_name": u.DisplayName, "real_name": u.RealName}
	if t.may("users:read.email") {
		profile["email"] = u.Email
	}
	return object{
		"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted, "is_bot": u.Bot,
		"is_restricted": u.Guest, "is_ultra_restricted": false, "is_stranger": u.Team != t.ID, "profile": profile,
	}
}

func (c *call) userList() object {
	all := []object{}
	for _, u := range c.team.users {
		all = append(all, c.team.wire(u))
	}
	return listed(c, "members", all)
}

func (c *call) userInfo() object {
	u := c.team.user(c.form.Get("user"))
	if u == nil {
		return refused("user_not_found")
	}
	return object{"ok": true, "user": c.team.wire(u)}
}

func (c *call) userByEmail() object {
	i := slices.IndexFunc(c.team.users, func(u *User) bool { return u.Email != "" && u.Email == c.form.Get("email") && !u.Deleted })
	if i < 0 {
		return refused("users_not_found")
	}
	return object{"ok": true, "user": c.team.wire(c.team.users[i])}
}

func (c *call) groupList() object {
	all := []object{}
	for _, g := range c.team.groups {
		if g.Disabled && c.form.Get("include_disabled") != "true" {
			continue
		}
		o := object{"id": g.ID, "team_id": c.team.ID, "handle": g.Handle, "name": g.Name, "is_usergroup": true, "date_delete": 0}
		if g.Disabled {
			o["date_delete"] = 1
		}
		if c.form.Get("include_users") == "true" {
			o["users"], o["user_count"] = g.Users, len(g.Users)
		}
		all = append(all, o)
	}
	return object{"ok": true, "usergroups": all}
}

func (c *call) groupUsers() object {
	i := slices.IndexFunc(c.team.groups, func(g *Group) bool { return g.ID == c.form.Get("usergroup") })
	switch {
	case i < 0:
		return refused("no_such_subteam")
	case c.team.groups[i].Disabled && c.form.Get("include_disabled") != "true":
		return refused("subteam_not_found")
	}
	return object{"ok": true, "users": append([]string{}, c.team.groups[i].Users...)}
}
