//! Users, groups, numbers, gateways and routes of an office. Sans-IO
