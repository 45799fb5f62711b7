//! What a call and its legs do next. Sans-IO; knows neither SIP nor RTP
