namespace Drive.Stores;

/// <summary>Who signs in to a store, and with what. Kept for the user; equal when both parts are.</summary>
/// <param name="User">A user or an access key's id; null where the secret alone is shown (a token).</param>
/// <param name="Secret">A password, key or token: one line.</param>
public sealed record StoreLogin(string? User, string Secret)
{
    /// <summary>Without the secret, for whoever prints it.</summary>
    public override string ToString() => $"login of {User ?? "a token"}";
}

/// <summary>What a kind of store asks for.</summary>
/// <param name="Key">What a login is kept under: the place, without what does not matter to who signs in.</param>
/// <param name="UserLabel">What to ask a user for; null when the place names one, or has none.</param>
/// <param name="SecretLabel">What to ask for as the secret.</param>
public sealed record LoginForm(string Key, string? UserLabel, string SecretLabel);
