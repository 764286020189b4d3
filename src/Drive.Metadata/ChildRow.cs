using Drive.Core.Rows;

namespace Drive.Metadata;

/// <summary>A current entry and the node it names; null where the database has none.</summary>
public readonly record struct ChildRow(EntryRow Entry, NodeRow? Node);
