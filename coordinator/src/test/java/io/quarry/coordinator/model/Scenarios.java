package io.quarry.coordinator.model;

import java.util.List;

/** The scenarios of all models. */
final class Scenarios {
  private static final String LOG = "CommitLog";

  private Scenarios() {}

  static List<Scenario> all() {
    return List.of(
        log("names are freed", 10_000, "MaxRequest=3 Vacuums=TRUE")
            .larger("MaxRecord=5 MaxRequest=4")
            .without("OnlyGrows", "PutIfAbsent")
            .without("AcknowledgedStays", "ValidateLink", "Ascending")
            .withoutBoth("SoleLeaderGoesOn", "KeepLast", "KeepTwo"),
        log("outcomes are in doubt", 30_000, "MaxRequest=2 Faults=1 Vacuums=TRUE")
            .larger("MaxRecord=5 Faults=2")
            .without("DeniedStaysOut", "LookOnExists", "FillUnknown", "CheckFiller"),
        log("requests are refused", 20_000, "MaxRequest=2 MaxRefusals=1 Faults=1")
            .larger("MaxRecord=5 MaxRequest=3 MaxRefusals=2")
            .without("DeniedStaysOut", "TermRecord", "EndInDoubt")
            .without("RefusalIsFresh", "ConfirmRefusal"),
        log("requests are refused while names are freed", 20_000, "MaxRefusals=1 Vacuums=TRUE")
            .larger("MaxRecord=5 MaxRequest=3")
            .without("RefusalIsFresh", "NextNameFirst"),
        log("a replica reads", 7_000, "MaxRequest=1 Reads=TRUE Vacuums=TRUE")
            .larger("MaxRequest=3")
            .without("ReaderSeesTheLog", "Recheck"),
        log("a checkpoint is spoilt", 4_000, "Spoils=1 Vacuums=TRUE")
            .larger("MaxRecord=5 MaxRequest=4")
            .without("AcknowledgedStays", "KeepTwo"),
        log(
                "a directory is seen as it was",
                20_000,
                "MaxRecord=5 MaxRequest=3 OldView=TRUE Vacuums=TRUE")
            .larger("MaxRecord=6 MaxRequest=4")
            .without("LeaderSeesTheLog", "CheckMisled"),
        Scenario.of("Pins", "a call is repeated", 2_000, "Calls=2")
            .larger("Calls=3")
            .without("SourceIsKept", "QuickCalls", "OwnPins", "PinFirst", "CheckPins")
            .without("SourceIsKept", "UnpinLast", "KeepInDoubt", "AskTarget", "AskNewest")
            .without("SourceIsKept", "LeaveYoung", "ReleaseUnneeded"),
        Scenario.of("Fix", "a copy", 500_000, "Workers=2 MaxEpoch=3 Windows=2 PowerLosses=1")
            .larger("Workers=3")
            .without("PublishedIsWhole", "KnowLoose", "LinkClaims", "EpochFiles")
            .without("PublishedIsWhole", "ProofOfAll", "GoneBeforeProof", "StopBeforeRelease")
            .without("PublishedIsWhole", "FlushFirst")
            .without("PublishedOnce", "FirstWins")
            .without("PublishedIsThere", "EarlierOnly", "KeepPublished"),
        Scenario.of("MergeInPlace", "two hosts", 200_000, "Windows=1 Opens=1 Writes=1")
            .larger("Opens=2 Writes=2")
            .without("ImageIsRight", "BeginByWriter", "ProofOfWriter", "FinishByWriter")
            .without("ImageIsRight", "GiveUpAtOpen", "StopBeforeLeave", "KnowStuck")
            .without("ReaderIsRight", "NoReaderAtBegin", "TakeNameAway"),
        Scenario.of("Guardian", "an agent dies", 800, "Processes=3")
            .larger("Processes=5")
            .without("ProofIsTrue", "AwaitAgent", "Subreaper", "LookAgain", "AwaitGone")
            .without("EndFindsProof", "ProofFirst"),
        blocks("a frame lands late", 50_000, "Faults=1")
            .larger("MaxCounter=3")
            .without("OneRecord", "PromiseFirst", "HighestBallot", "WriteAgain")
            .without("OneRecord", "LookAfterWrite", "BallotEnds")
            .without("DeniedStaysOut", "AskNextTerm"),
        blocks("the power is cut", 60_000, "Cuts=1")
            .larger("Cuts=2 Faults=1")
            .without("OneRecord", "PromiseForced"),
        blocks("a host reads", 10_000, "MaxPuts=2 MaxCounter=1 Reads=TRUE")
            .larger("MaxPuts=3 Faults=1")
            .without("OneRecord", "ReaderLooks", "CellsLast", "NoteOfBallot"),
        blocks(
                "a host reads, and the power is cut",
                15_000,
                "MaxNumber=1 MaxPuts=2 MaxCounter=1 Faults=1 Cuts=1 Reads=TRUE")
            .larger("MaxNumber=2")
            .without("OneRecord", "ReaderForces", "ReadAgain"),
        Scenario.of("BlockSlots", "hosts want a slot", 20_000, "Hosts=3 Slots=1 Deaths=1 Faults=1")
            .larger("Slots=2")
            .without("OneHost", "LandsInLife", "LookAtY", "LookAtX", "ReclaimBoth", "LeaveBurnt"),
        room("a host reads", 30_000, "Reads=TRUE")
            .larger("MaxNumber=7 Spoils=1")
            .without("ReaderMissesNothing", "CellsAgain"),
        room("a checkpoint is spoilt", 400, "Spoils=1 BadWrites=1")
            .larger("MaxNumber=9 Places=4")
            .without("RecordsStay", "SecondNewest", "SpareTwo", "ReadBack", "NameLast"),
        Scenario.of("Mappings", "a host", 30_000, "Hosts=1 MaxFile=2 MaxCommit=3 MaxBoot=2")
            .larger("Hosts=2")
            .without("DeviceIsOfTheFile", "FreeUnmapped", "SeeFirst", "RemoveFirst", "NewerOnly")
            .without("DeviceIsOfTheFile", "OwnBoot", "SinceMatches", "KeepBoot", "KeyMatches")
            .without("DeviceIsOfTheFile", "FenceDead"));
  }

  /**
   * @param bounds that differ from the smallest ones
   */
  private static Scenario log(String name, int statesMin, String bounds) {
    Scenario smallest =
        Scenario.of(
            LOG,
            name,
            statesMin,
            "MaxRecord=4 MaxRequest=2 MaxRefusals=0 Faults=0 Spoils=0"
                + " Reads=FALSE OldView=FALSE Vacuums=FALSE");
    return smallest.bounded(bounds);
  }

  private static Scenario blocks(String name, int statesMin, String bounds) {
    Scenario smallest =
        Scenario.of(
            "BlockLog",
            name,
            statesMin,
            "MaxNumber=2 MaxPuts=3 MaxCounter=2 Faults=0 Cuts=0 Reads=FALSE");
    return smallest.bounded(bounds);
  }

  private static Scenario room(String name, int statesMin, String bounds) {
    Scenario smallest =
        Scenario.of(
            "BlockRoom",
            name,
            statesMin,
            "MaxNumber=5 Places=3 Areas=3 Spoils=0 BadWrites=0 Reads=FALSE");
    return smallest.bounded(bounds);
  }
}
