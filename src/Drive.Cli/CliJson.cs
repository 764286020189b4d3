using System.Text.Json.Serialization;
using Drive.Cli.Commands;
using Drive.Service.Checks;
using Drive.Service.Setup;

namespace Drive.Cli;

/// <summary>JSON that only the command prints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IReadOnlyList<ListedVault>))]
[JsonSerializable(typeof(IReadOnlyList<FileInStore>))]
[JsonSerializable(typeof(IReadOnlyList<Check>))]
[JsonSerializable(typeof(IReadOnlyList<ListedConflict>))]
[JsonSerializable(typeof(WaitReport))]
[JsonSerializable(typeof(UmountReport))]
[JsonSerializable(typeof(RepairResult))]
[JsonSerializable(typeof(StoreReport))]
internal sealed partial class CliJson : JsonSerializerContext;
