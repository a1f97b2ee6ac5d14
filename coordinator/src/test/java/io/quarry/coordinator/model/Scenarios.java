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
            .without("EndFindsProof", "ProofFirst"));
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
}
