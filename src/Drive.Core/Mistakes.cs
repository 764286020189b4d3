#if DEBUG
using System.Threading;
#endif

namespace Drive.Core;

/// <summary>
/// Mistakes of protocol that a test plants, to see that some layer of the tests catches each; <c>docs/testing.md</c> says which. Only a debug build
/// can make them: in a release build <see cref="Mistakes.Has"/> is a constant.
/// </summary>
public enum Mistake
{
    /// <summary>The dirty log's bytes are not flushed before rows point to them.</summary>
    LogNotFlushed,

    /// <summary>The name of a new segment of the dirty log is not flushed.</summary>
    LogNameNotFlushed,

    /// <summary>A flush of the dirty log that failed counts as done.</summary>
    LogFlushRetried,

    /// <summary>A record of the dirty log goes before the rows that point to it are gone for good.</summary>
    LogReleasedEarly,

    /// <summary>All records of a segment are sealed with one nonce.</summary>
    LogNonceRepeated,

    /// <summary>A piece of a record that is not authentic is handed out.</summary>
    LogSealIgnored,

    /// <summary>The database does not flush its commits.</summary>
    DatabaseNotFlushed,

    /// <summary>A database that was let fall behind the journal is not flushed again before the log lets go.</summary>
    DatabaseLeftBehind,

    /// <summary>fsync answers before anything is saved.</summary>
    FsyncSavesNothing,

    /// <summary>A save point that found the disk full counts as saved.</summary>
    FullDiskIsSuccess,

    /// <summary>A save point that found the disk full is not tried again.</summary>
    StuckSaveDropped,

    /// <summary>A local commit leaves out names that were removed.</summary>
    RemovedNameNotSaved,

    /// <summary>A local commit leaves out extended attributes that were removed.</summary>
    RemovedXattrNotSaved,

    /// <summary>A local commit leaves out holes, so cut content comes back.</summary>
    HoleNotSaved,

    /// <summary>A local commit leaves the rows of data that was overwritten.</summary>
    OverwrittenRowKept,

    /// <summary>The counter of node numbers is not saved, and numbers are given twice.</summary>
    NodeNumbersNotSaved,

    /// <summary>A node with changes that are not saved is dropped from memory.</summary>
    DirtyNodeEvicted,

    /// <summary>Writes are taken though the disk has no room for them.</summary>
    DirtyRoomNotReserved,

    /// <summary>Truncating a file leaves its committed bytes to show again when it grows.</summary>
    CutWithoutHole,

    /// <summary>A commit is appended though its packs are not in the store.</summary>
    PackNotSent,

    /// <summary>A commit counts as appended though the store has not said so.</summary>
    CommitNotSent,

    /// <summary>A commit is sent before its bytes are saved here.</summary>
    AttemptNotSaved,

    /// <summary>After an unclear answer another commit is made for the same slot.</summary>
    AttemptRebuilt,

    /// <summary>A slot that holds another commit counts as holding ours.</summary>
    TakenSlotIsOurs,

    /// <summary>What changed while its commit was on its way counts as committed.</summary>
    LandedTooMuch,

    /// <summary>A wait for the store ends at once.</summary>
    WaitSaysDone,

    /// <summary>A store that cannot be reached counts as one that does not have the object.</summary>
    UnreachableIsAbsent,

    /// <summary>Nobody looks whether the store still has the commit that was seen last.</summary>
    PinNotChecked,

    /// <summary>Objects are sealed under an id that was used before.</summary>
    ObjectIdRepeated,

    /// <summary>The commitment to the key is not compared.</summary>
    CommitmentIgnored,

    /// <summary>A segment whose tag does not fit is handed out.</summary>
    SealIgnored,

    /// <summary>Segments of an object are not bound to their place in it.</summary>
    SegmentNotBound,

    /// <summary>Nobody checks signatures.</summary>
    SignatureIgnored,

    /// <summary>A signer who is no member any more is accepted.</summary>
    RevokedSignerAccepted,

    /// <summary>Any first commit is accepted.</summary>
    GenesisNotPinned,

    /// <summary>A commit need not follow the one before it.</summary>
    ChainNotChecked,

    /// <summary>A commit is accepted in a slot that is not its own.</summary>
    SeqNotChecked,

    /// <summary>A device's commits may be left out or repeated.</summary>
    DeviceSequenceNotChecked,

    /// <summary>A commit may go back to an older key epoch.</summary>
    KeyEpochNotChecked,

    /// <summary>A commit's rows need not give the tree that its author signed.</summary>
    StateHashNotChecked,

    /// <summary>A slot that was truncated counts as the head.</summary>
    FloorNotReadAtHead,

    /// <summary>A truncated slot that was made again counts as committed.</summary>
    FloorNotReadAfterAppend,

    /// <summary>A checkpoint is written of rows that do not give the log's state hash.</summary>
    CheckpointSumIgnored,

    /// <summary>A checkpoint is named that the store has not given back.</summary>
    CheckpointNotReadBack,

    /// <summary>A start at a checkpoint need not come to a state that the device has proven.</summary>
    CheckpointNotProven,

    /// <summary>A checkpoint leaves rows out that ended and that history keeps, and does not say so.</summary>
    CheckpointPastLeftOut,

    /// <summary>A floor or a checkpoint may be sealed under a key epoch of before.</summary>
    FloorEpochNotChecked,

    /// <summary>A commit may name a pack that was condemned before.</summary>
    CondemnedPackNamed,

    /// <summary>Packs are swept before every device has committed above their condemnation.</summary>
    SweptBeforeAllKnow,

    /// <summary>The log is cut at a checkpoint that not every device is above.</summary>
    CutBeforeAllAreAbove,

    /// <summary>Commits are deleted before the floor that lets them go is published.</summary>
    CutBeforeFloor,

    /// <summary>A checkpoint that the next floor may need is given up.</summary>
    NextFloorsCheckpointDropped,

    /// <summary>A device commits above a condemnation without having rescued what content here shares with the condemned packs.</summary>
    CondemnedContentKept,

    /// <summary>What is needed only by content here that no commit holds is neither counted nor rescued.</summary>
    OwnContentNotCounted,

    /// <summary>Packs are deleted as soon as they are condemned.</summary>
    DeletedBeforeSwept,

    /// <summary>What a kept state of the past needs is not counted.</summary>
    PastNotCounted,

    /// <summary>Packs that no commit names go although another device may be about to name them.</summary>
    StrayOfAnotherDeleted,

    /// <summary>A key slot may name any cost of its passphrase.</summary>
    PassphraseCostNotChecked,

    /// <summary>A folder store does not flush the bytes of an object.</summary>
    StoreFileNotFlushed,

    /// <summary>A folder store does not flush the name of an object.</summary>
    StoreNameNotFlushed,

    /// <summary>A folder store replaces what is there.</summary>
    StoreOverwrites,

    /// <summary>A folder store whose folder is gone counts as empty.</summary>
    StoreGoneIsEmpty,
}

/// <summary>Which mistake is planted.</summary>
public static class Mistakes
{
#if DEBUG
    private const string Variable = "DRIVE_MISTAKE";
    private static readonly Mistake? Everywhere = Enum.TryParse(Environment.GetEnvironmentVariable(Variable), out Mistake mistake) ? mistake : null;
    private static readonly AsyncLocal<Mistake?> Here = new();

    /// <summary>Whether this build can make mistakes at all.</summary>
    public static bool CanBePlanted => true;

    /// <summary>Whether this mistake is to be made here: planted in this flow of control, or named by the environment variable DRIVE_MISTAKE.</summary>
    public static bool Has(Mistake mistake) => (Here.Value ?? Everywhere) == mistake;

    /// <summary>From here on, in this flow of control and all that it starts, the mistake is made.</summary>
    public static void Plant(Mistake mistake) => Here.Value = mistake;
#else
    /// <summary>Whether this build can make mistakes at all.</summary>
    public static bool CanBePlanted => false;

    /// <summary>Whether this mistake is to be made here: never.</summary>
    public static bool Has(Mistake mistake) => false;
#endif
}
