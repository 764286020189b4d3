using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>What a name led to for some time.</summary>
/// <param name="Node">The node.</param>
/// <param name="From">The commit from which on it did; provisional for what is not committed.</param>
/// <param name="To">The commit from which on it did not; <see cref="Epochs.Open"/> when it still does.</param>
public readonly record struct EntryVersion(NodeId Node, long From, long To);

/// <summary>How a node was for some time.</summary>
/// <param name="Row">The node.</param>
/// <param name="From">The commit from which on it was so; provisional for what is not committed.</param>
/// <param name="To">The commit from which on it was not; <see cref="Epochs.Open"/> when it still is.</param>
public sealed record NodeVersion(NodeRow Row, long From, long To);
