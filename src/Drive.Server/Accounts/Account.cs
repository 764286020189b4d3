using System.Text.Json.Serialization;

namespace Drive.Server.Accounts;

/// <summary>A user of a server.</summary>
/// <param name="Name">1 to 64 of a-z 0-9 - and '.'.</param>
/// <param name="QuotaBytes">What all the user's vaults may take together.</param>
/// <param name="Tokens">In the order in which they were made.</param>
public sealed record Account(string Name, long QuotaBytes, IReadOnlyList<TokenRecord> Tokens);

/// <summary>What is kept of a token.</summary>
/// <param name="Id">Its public part, by which it is listed and revoked.</param>
/// <param name="Name">What a person calls it, such as the machine that has it.</param>
/// <param name="IsAppendOnly">It may put, get, list and watch, and never delete.</param>
/// <param name="Hash">The SHA-256 of the whole token, in hex.</param>
/// <param name="Made">When.</param>
public sealed record TokenRecord(string Id, string? Name, bool IsAppendOnly, string Hash, DateTimeOffset Made);

/// <summary>The file of all users. The revision comes first in it and differs after each change, so that a look at the first bytes tells whether it is the same.</summary>
internal sealed record AccountFile([property: JsonPropertyOrder(-1)] long Revision, IReadOnlyList<Account> Users);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AccountFile))]
internal sealed partial class AccountJson : JsonSerializerContext;
