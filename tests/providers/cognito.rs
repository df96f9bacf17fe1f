//! Amazon Cognito.
