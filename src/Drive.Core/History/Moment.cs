namespace Drive.Core.History;

/// <summary>A state of the vault that history may keep: the tree after one commit.</summary>
/// <param name="Seq">The commit's number. Order in the vault is the order of these, never of times.</param>
/// <param name="Time">When the commit was made, by the clock of the device that made it; so it may be wrong by years.</param>
/// <param name="IsNamed">Somebody gave it a name: it is kept until the name is taken away.</param>
/// <param name="IsFlagged">It is doubted (a backup in which too much changed at once): it is kept, and never stands for the good ones around it.</param>
public readonly record struct Moment(long Seq, DateTimeOffset Time, bool IsNamed = false, bool IsFlagged = false);
